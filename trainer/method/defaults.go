package method

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/likelihood"
)

// DefaultOn returns the defaults of the named method for pictures of the given shape: those of
// [DefaultFor], with the networks that suit the pictures and the defaults of these.
func DefaultOn(name config.Method, picture data.Shape) (config.Config, error) {
	c, err := DefaultFor(name)
	if err != nil {
		return c, err
	}
	return Resolve(c.On(data.KindOfShape(picture), ""), picture, func(string) bool { return false })
}

// convolutions are the defaults of convolutions where they differ from those of MLPs: how they were
// chosen is in bench/study.
var convolutions = map[string]string{
	"batch": "128", "epochs": "40", "cloud_init": "pca",
	"step_size": "0.006", "step_size_end": "0.001", "friction": "0.3", "scale_anchor": "2",
	"prior_weight": "elbo",
}

// picturesByMLP are the defaults of pictures with MLPs where they differ from those of other rows:
// how they were chosen is in bench/study.
var picturesByMLP = map[string]string{
	"epochs": "280", "prior_levels": string(diffusion.Sech), "score_blocks": "4",
}

// tables are the defaults of tables where they differ from those of other rows, besides the width
// of the decoder: how they were chosen is in bench/study.
var tables = map[string]string{
	"batch": "250", "batch_repeats": "10", "epochs": "0", "lr": "0.0005", "cloud_init": "pca",
	"obs_noise": "0.1", "latent": "16", "score_width": "64", "score_blocks": "2",
}

// ofTables is tables with a decoder whose two hidden layers are about four times as wide as a row
// of the table, but neither below 64 nor above 128.
func ofTables(c config.Config) map[string]string {
	width := 64
	if columns, err := likelihood.ParseColumns(c.Likelihood); err == nil {
		width = max(width, min(128, (columns.Dim()+7)/8*32))
	}
	all := maps.Clone(tables)
	all["decoder_widths"] = fmt.Sprintf("%d,%d", width, width)
	return all
}

// fewCells is how many cells are few: of so many the smallest scale of a table's columns is 0.7
// standard deviations. How it was chosen is in bench/study.
const fewCells = 650

// Suited returns a configuration that Resolve made of asked with the defaults that depend on the
// number of datapoints, in the keys that were not given (as in Resolve): the epochs, and of a table
// the smallest scale of its columns. A decoder learns few cells by heart, and is then surer of
// others than it should be: so the smallest scale is the default or, with n cells,
// 1/sqrt(1 + (n/fewCells)^2) standard deviations, if that is larger.
func Suited(c, asked config.Config, datapoints int, given func(key string) bool) config.Config {
	c = c.Lasting(c.CountDatapoints(datapoints))
	m, err := find(c.Method)
	if err != nil || c.As != data.Columns {
		return c
	}
	if given == nil {
		given = m.unlike(asked)
	}
	columns, err := likelihood.ParseColumns(c.Likelihood)
	if err != nil || given("obs_noise") || !Reads(c.Method, "obs_noise") {
		return c
	}
	cells := 0
	for _, col := range columns {
		if col.Kind == likelihood.Categorical {
			cells += datapoints
		} else {
			cells += col.N * datapoints
		}
	}
	c.ObsNoise = max(c.ObsNoise, short(1/math.Hypot(1, float64(cells)/fewCells)))
	return c
}

// own are the defaults of c's decoder, or of its data, where they differ from the method's.
func own(c config.Config) map[string]string {
	switch {
	case c.Decoder == config.Conv:
		return convolutions
	case c.As == data.Columns:
		return ofTables(c)
	case c.As == data.Pictures:
		return picturesByMLP
	}
	return nil
}

// usualWith is the method's default configuration with those of a decoder, or of data.
func (m spec) usualWith(defaults map[string]string) config.Config {
	usual := m.usual()
	for key, value := range defaults {
		if !Reads(m.name, key) {
			continue
		}
		if err := usual.Key(key).Set(value); err != nil {
			panic("method: a default that is no value")
		}
	}
	return usual
}

// fill sets the defaults of the chosen decoder and of the data in the keys that were not given
// (Resolve).
func (m spec) fill(c *config.Config, given func(key string) bool) {
	defaults := own(*c)
	usual := m.usualWith(defaults)
	for key := range defaults {
		if given(key) || !Reads(m.name, key) {
			continue
		}
		if err := c.Key(key).Set(usual.Key(key).String()); err != nil {
			panic("method: a default that is no value")
		}
	}
	const end = "step_size_end"
	if given("step_size") && !given(end) && Reads(m.name, end) {
		c.StepSizeEnd = short(c.StepSize / usual.StepSize * usual.StepSizeEnd)
	}
}

// short rounds to four digits.
func short(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		panic("method: a number that is none")
	}
	return y
}

// unlike reports the keys that count as given when nobody says which were (Resolve).
func (m spec) unlike(c config.Config) func(key string) bool {
	if c.Network != config.AutoNetwork && c.Decoder != config.AutoNetwork {
		return func(string) bool { return true }
	}
	changed := m.usual().Changed(c)
	return func(key string) bool { return slices.Contains(changed, key) }
}
