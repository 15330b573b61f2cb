package trainer

import (
	"errors"
	"fmt"
	"image"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/picture"
)

// Rows of a table that its pictures are made of, at most.
const (
	shownRows   = 5000 // of the data
	shownRecons = 500
)

// drawn are the samples as the data are: draws where a sample has noise, decoded when they are
// needed where it has none.
func (t *Trainer) drawn(g *generate.Generator, s samples) data.Rows {
	n := t.cfg.EvalSamples
	z, conditions := of(s.z, g.Latent(), 0, n), of(s.conditions, g.Conditions(), 0, n)
	if !g.Model().Likelihood.Noisy() {
		return g.Images(z, conditions)
	}
	x := make([]float32, n*g.Dim())
	g.Draw(x, z, conditions, t.cfg.Seed, 0)
	return data.Table{D: g.Dim(), X: x}
}

// measured are the samples that are compared with the training rows: drawn, with their holes.
func (t *Trainer) measured(g *generate.Generator, s samples) data.Rows {
	return data.Holed(t.drawn(g, s), t.data.train, t.cfg.Seed)
}

// drawColumns writes the pictures of a run on a table: its columns in the data and in samples, each
// alone and in pairs, and training rows against their reconstructions.
func (t *Trainer) drawColumns(dir string, g *generate.Generator, s samples) error {
	name := func(what string) string {
		return filepath.Join(dir, fmt.Sprintf("%s-%06d.png", what, t.step))
	}
	x := make([]float32, t.cfg.EvalSamples*g.Dim())
	t.drawn(g, s).Gather(x, data.Range(0, t.cfg.EvalSamples))
	train := data.Decoded(t.data.train, data.Range(0, min(shownRows, t.data.train.Len())))
	both := picture.Tables([2]string{"data", "samples"}, train, t.data.schema.Decoded(x, nil))
	idx := data.Range(0, min(shownRecons, t.data.train.Len()))
	z, recon := make([]float32, len(idx)*g.Latent()), make([]float32, len(idx)*g.Dim())
	t.method.Latents(g, z, idx)
	g.Decode(recon, z, t.conditionsOf(idx))
	if err := t.method.Err(); err != nil {
		return err
	}
	pair := picture.Tables([2]string{"original", "reconstruction"},
		data.Decoded(t.data.train, idx), t.data.schema.Decoded(recon, nil))
	p := pictures{samples: name("step")}
	for _, d := range []struct {
		path string
		draw func() (image.Image, error)
	}{{p.samples, both.Marginals}, {name("pairs"), both.Pairs}, {name("recon"), pair.Agreement}} {
		canvas, err := d.draw()
		if errors.Is(err, figure.ErrEmpty) {
			continue // one column, or none of numbers
		}
		drawn, err := t.writePicture(d.path, canvas, err)
		if !drawn || err != nil {
			return err
		}
		if d.path == name("recon") {
			p.recon = d.path
		}
	}
	t.reports.pictures = p
	return nil
}

// columnBytes is the memory of the draws that are measured of a run on a table, and of what its
// pictures are made of.
func columnBytes(c config.Config, trained, dim int) int64 {
	if c.As != data.Columns {
		return 0
	}
	rows := max(min(shownRows, trained), 2*min(shownRecons, trained))
	return memory.Array[float32](2*c.EvalSamples+rows, dim) + // samples and data as they are coded
		memory.Array[float64](c.EvalSamples+rows, dim) + // and as cells
		figure.TablesBytes
}
