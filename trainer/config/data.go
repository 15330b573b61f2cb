package config

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/data"
)

// maxSide is the largest size to which pictures are scaled, maxLength that to which signals are
// cropped.
const maxSide, maxLength = 1 << 12, 1 << 24

func (c *Config) dataKeys() []Key {
	return group("Data",
		textKey(&c.Data, "data", "fashion10k", dataName,
			"fashion10k, digits, emoji (colour), or a path: pictures in a directory, .zip or "+
				".tar; IDX file or directory; .npy, .npz; batches of CIFAR; .csv, .parquet; WAV "+
				"files in a directory, .zip or .tar"),
		choiceKey(&c.As, "as", data.Auto, data.Kinds,
			"what the data are: pictures, rows of numbers, signals (samples of channels over "+
				"time), or a table of named columns"),
		intKey(&c.Length, "length", 0, between(0, maxLength), "samples",
			"samples of signals that are taken, from the first on; WAV files that are shorter are "+
				"left out (0: all have one length)"),
		floatKey(&c.SampleRate, "sample_rate", 0, nonNegative, "samples a second",
			"samples of signals a second, for arrays of them (0: unknown; WAV files have theirs)"),
		intKey(&c.Size, "size", 0, between(0, maxSide), "pixels",
			"side in pixels to which pictures are scaled (0: as they are)"),
		boolKey(&c.Gray, "gray", "convert pictures to one channel"),
		textKey(&c.Array, "array", "", plain("a name"),
			"the array of an .npz archive that holds the data (default: its only one)"),
		textKey(&c.Range, "range", "", rangeText,
			"LO,HI: the stored values that stand for black and white; "+
				"default by type: 0,255 for bytes, 0,65535 for uint16, -1,1 for floats; of "+
				"signals those that become -1 and 1, by default mean -+ 2 standard deviations"),
		textKey(&c.Labels, "labels", "", plain("a path"),
			"file of labels: CSV, JSON, .npy or IDX, or the column of a table that holds them "+
				"(default: those that come with the data, or their folders)"),
		textKey(&c.Schema, "schema", "", plain("a path"),
			"schema file of a table, in TOML: what its columns are, as far as their cells do not "+
				"say (a run's schema.toml is one)"),
		boolKey(&c.SkipBroken, "skip_broken",
			"leave out pictures that cannot be read, instead of refusing the data"),
		boolKey(&c.Missing, "missing",
			"take NaN in arrays of floats as values that are not known, instead of refusing the "+
				"data"),
		floatKey(&c.Holdout, "holdout", 0.1, unitNotOne, "share",
			"share of the rows held out of training, in [0, 1)"),
		boolKey(&c.Flip, "flip",
			"train on mirror images too, left and right exchanged, with particles of their own"),
	)
}

var dataName = expect(
	"the name of an embedded data set or a path in UTF-8, without control characters",
	func(s string) bool { return s != "" && IsPlainText(s) })

var rangeText = expect("LO,HI: two finite numbers, the first below the second, such as 0,1",
	func(s string) bool { return s == "" || valueRange(s) != nil })

// valueRange parses a range of values; nil if the text is empty or not a range.
func valueRange(text string) *[2]float64 {
	low, high, found := strings.Cut(text, ",")
	lo, errLow := strconv.ParseFloat(strings.TrimSpace(low), 64)
	hi, errHigh := strconv.ParseFloat(strings.TrimSpace(high), 64)
	if !found || errLow != nil || errHigh != nil || !(lo < hi) || math.IsInf(hi-lo, 0) {
		return nil
	}
	return &[2]float64{lo, hi}
}

// DataOptions returns the options for reading the data of c, which must be valid. warn is called
// with warnings for the user, and progress with how far reading has come; both may be nil.
func (c Config) DataOptions(warn, progress func(string)) data.Options {
	return data.Options{
		As: c.As, Length: c.Length, SampleRate: c.SampleRate, Size: c.Size, Gray: c.Gray,
		Array: c.Array, Range: valueRange(c.Range), Labels: c.Labels, Schema: c.Schema,
		SkipBroken: c.SkipBroken, Missing: c.Missing, Warn: warn, Progress: progress,
	}
}

// On returns c with what it leaves to the data about their kind and likelihood, as found in them.
func (c Config) On(kind data.Kind, likelihood string) Config {
	if c.As == data.Auto {
		c.As = kind
	}
	if c.Likelihood == AutoLikelihood {
		c.Likelihood = cmp.Or(likelihood, likelihoodOf(c.As))
	}
	return c
}

// likelihoodOf is the likelihood that suits rows of a kind, if nothing else tells: many pixels of
// pictures are as black or white as can be.
func likelihoodOf(kind data.Kind) string {
	if kind == data.Pictures {
		return ClippedLikelihood
	}
	return GaussianLikelihood
}

// A run that leaves its length to the data has usualSteps steps, or a few more; but each datapoint
// takes part in usualVisits of them at most, since few datapoints are soon learnt by heart
// (bench/study).
const usualSteps, usualVisits = 6500, 1500

// Lasting returns c with the epochs that suit a number of datapoints, where it leaves them open.
func (c Config) Lasting(datapoints int) Config {
	if c.Epochs == 0 {
		perEpoch := ((datapoints-1)/c.Batch + 1) * c.BatchRepeats
		c.Epochs = min((usualSteps-1)/perEpoch, (usualVisits-1)/c.BatchRepeats) + 1
	}
	return c
}

// AsRead returns c with what it leaves to signals about their scale and rate, as found when they
// were read.
func (c Config) AsRead(s data.Summary) Config {
	if s.Kind != data.Signals {
		return c
	}
	if c.Range == "" {
		c.Range = rangeOf(s.Range)
	}
	if c.SampleRate == 0 {
		c.SampleRate = s.SampleRate
	}
	return c
}

// rangeOf is the text of a range, which valueRange reads exactly.
func rangeOf(ends [2]float64) string {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return text(ends[0]) + "," + text(ends[1])
}

// Ends are the stored values of signals that are -1 and 1 to the model; nil: those themselves, as
// for all other kinds, which are written as they are.
func (c Config) Ends() *[2]float64 {
	if c.As != data.Signals {
		return nil
	}
	return valueRange(c.Range)
}

// Unscale maps numbers of signals back to the values that were stored (Ends), in place.
func (c Config) Unscale(x []float32) {
	if ends := c.Ends(); ends != nil {
		for i, v := range x {
			x[i] = float32(ends[0] + (float64(v)+1)/2*(ends[1]-ends[0]))
		}
	}
}

// UnscaleSpread is Unscale for standard deviations.
func (c Config) UnscaleSpread(x []float32) {
	if ends := c.Ends(); ends != nil {
		for i, v := range x {
			x[i] = float32(float64(v) / 2 * (ends[1] - ends[0]))
		}
	}
}

// Datapoints returns what a run of c is trained on: the training images and, with flip, their
// mirror images after them.
func (c Config) Datapoints(train data.Dataset) (data.Dataset, error) {
	if !c.Flip {
		return train, nil
	}
	return data.Flipped(train)
}

// CountDatapoints is the length of Datapoints for the given number of training images.
func (c Config) CountDatapoints(images int) int {
	if c.Flip {
		return 2 * images
	}
	return images
}
