package tensorboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	pb "google.golang.org/protobuf/encoding/protowire"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/record"
)

// Numbers of fields, as event.proto and summary.proto of TensorFlow have them.
const (
	eventTime, eventStep, eventVersion, eventSummary, eventSession pb.Number = 1, 2, 3, 5, 7
	sessionStatus                                                  pb.Number = 1
	summaryValue                                                   pb.Number = 1
	valueTag, valueScalar, valueImage, valueHistogram              pb.Number = 1, 2, 4, 5
	imageHeight, imageWidth, imageColours, imageEncoded            pb.Number = 1, 2, 3, 4
	histogramMin, histogramMax, histogramCount                     pb.Number = 1, 2, 3
	histogramSum, histogramSquares, histogramLimits, histogramBins pb.Number = 4, 5, 6, 7

	sessionStart = 1 // a value of sessionStatus
)

func number(b []byte, field pb.Number, v float64) []byte {
	return pb.AppendFixed64(pb.AppendTag(b, field, pb.Fixed64Type), math.Float64bits(v))
}

func integer(b []byte, field pb.Number, v int) []byte {
	return pb.AppendVarint(pb.AppendTag(b, field, pb.VarintType), uint64(v))
}

func content(b []byte, field pb.Number, v []byte) []byte {
	return pb.AppendBytes(pb.AppendTag(b, field, pb.BytesType), v)
}

// at begins an event.
func at(when time.Time, step int) []byte {
	return integer(number(nil, eventTime, float64(when.UnixMicro())/1e6), eventStep, step)
}

// version is the first event of a file.
func version(when time.Time) []byte {
	return content(at(when, 0), eventVersion, []byte("brain.Event:2"))
}

// restarted is the event of a session whose first step is the given one.
func restarted(when time.Time, step int) ([]byte, error) {
	return content(at(when, step), eventSession, integer(nil, sessionStatus, sessionStart)), nil
}

// scalars is the event of a record: its numbers, by their names in metrics.jsonl.
func scalars(e record.Epoch) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	var summary []byte
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if v, ok := all[name].(float64); ok && name != "step" {
			value := content(nil, valueTag, []byte("epoch/"+name))
			value = pb.AppendTag(value, valueScalar, pb.Fixed32Type)
			value = pb.AppendFixed32(value, math.Float32bits(float32(v)))
			summary = content(summary, summaryValue, value)
		}
	}
	return content(at(e.Time, e.Step), eventSummary, summary), nil
}

// report is the event of a report: its pictures, and histograms of the latents.
func report(when time.Time, r trainer.Report) ([]byte, error) {
	var summary []byte
	for _, p := range []struct{ tag, path string }{
		{"samples", r.Samples}, {"reconstructions", r.Recon},
	} {
		if p.path == "" {
			continue // it could not be written, or there is none of these data
		}
		image, err := picture(p.path)
		if err != nil {
			return nil, err
		}
		value := content(nil, valueTag, []byte(p.tag))
		summary = content(summary, summaryValue, content(value, valueImage, image))
	}
	for j := -1; j < min(r.Latent, shownDimensions); j++ {
		tag, of := "latents/all", r.Latents
		if j >= 0 {
			tag, of = fmt.Sprintf("latents/%d", j), column(r.Latents, j, r.Latent)
		}
		of = slices.DeleteFunc(slices.Clone(of), func(v float32) bool { return v-v != 0 })
		if len(of) == 0 {
			continue // none is finite
		}
		value := content(nil, valueTag, []byte(tag))
		summary = content(summary, summaryValue, content(value, valueHistogram, histogram(of)))
	}
	return content(at(when, r.Step), eventSummary, summary), nil
}

// shownDimensions of the latents get histograms of their own, at most.
const shownDimensions = 8

// column is number j of each latent.
func column(z []float32, j, latent int) []float32 {
	all := make([]float32, 0, len(z)/latent)
	for i := j; i < len(z); i += latent {
		all = append(all, z[i])
	}
	return all
}

// picture is the message of the PNG file at path.
func picture(path string) ([]byte, error) {
	encoded, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := png.DecodeConfig(bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	const rgb = 3
	b := integer(integer(nil, imageHeight, c.Height), imageWidth, c.Width)
	return content(integer(b, imageColours, rgb), imageEncoded, encoded), nil
}

// bins is the number of bins of a histogram, all of the same width.
const bins = 30

// histogram is the message of the distribution of values, which must be finite.
func histogram(values []float32) []byte {
	low, high := slices.Min(values), slices.Max(values)
	from, width := float64(low), (float64(high)-float64(low))/bins
	counts, sum, squares := make([]float64, bins), 0.0, 0.0
	for _, v := range values {
		x, bin := float64(v), 0
		if width > 0 {
			bin = min(int((x-from)/width), bins-1)
		}
		counts[bin]++
		sum, squares = sum+x, squares+x*x
	}
	var limits, packed []byte
	for i, n := range counts {
		limit := from + float64(i+1)*width
		if i == bins-1 {
			limit = float64(high)
		}
		limits = pb.AppendFixed64(limits, math.Float64bits(limit))
		packed = pb.AppendFixed64(packed, math.Float64bits(n))
	}
	b := number(number(nil, histogramMin, from), histogramMax, float64(high))
	b = number(b, histogramCount, float64(len(values)))
	b = number(number(b, histogramSum, sum), histogramSquares, squares)
	return content(content(b, histogramLimits, limits), histogramBins, packed)
}
