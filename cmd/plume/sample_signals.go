package main

import (
	"image/png"
	"io"
	"math"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/wav"
	"github.com/plume-ml/plume/trainer/run"
)

// inUnits is an output of signals in the units of the data.
type inUnits struct {
	sampleOutput
	config config.Config
}

func (o inUnits) add(b sampleBlock) error {
	o.config.Unscale(b.pixels)
	return o.sampleOutput.add(b)
}

// fileOf returns what adds the file of a row, named without its ending, to a folder: a sound for
// runs that were trained on sounds, the picture of a curve for other signals, and pixel by pixel a
// picture for all else.
func (o *folderOutput) fileOf(g *run.Generator) func(name string, row []float32) error {
	c, read := g.Config(), g.Info().Read
	switch {
	case c.As != data.Signals:
		return func(name string, row []float32) error { return o.Add(name+".png", row) }
	case read == nil || !read.Sounds():
		view := g.View()
		return func(name string, row []float32) error {
			drawn, err := view.Grid(row, 1)
			if err != nil {
				return err
			}
			return o.AddFile(name+".png", func(w io.Writer) error { return png.Encode(w, drawn) })
		}
	}
	rate := int(math.Round(c.SampleRate))
	return func(name string, row []float32) error {
		c.Unscale(row)
		raw, clipped := wav.Encode(row, g.Shape().C, rate)
		o.clipped += clipped
		return o.AddFile(name+".wav", func(w io.Writer) error {
			_, err := w.Write(raw)
			return err
		})
	}
}
