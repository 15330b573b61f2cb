package compare

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/run"
)

// SamplesFile is the picture of samples side by side, in the comparison's directory.
const SamplesFile = "samples.png"

// The block of each contestant in the picture.
const (
	blockColumns = 16 // images per row
	blockRows    = 2
)

// writeSamples draws one picture, a PNG: the first images of the data, then samples of every
// contestant's run with the first seed, each beside its label. Runs that are not done are left out.
func (r *Results) writeSamples(ctx context.Context, path string) error {
	var blocks []picture.Labelled
	for i, row := range r.Rows {
		run := r.Runs[i] // the first runs are those with the first seed
		if !run.Done {
			continue
		}
		if blocks == nil {
			b, err := r.real(ctx, row)
			if err != nil {
				return err
			}
			blocks = append(blocks, b)
		}
		b, err := r.samples(ctx, row, run)
		if err != nil {
			return fmt.Errorf("samples of %s: %w", row.Name, err)
		}
		blocks = append(blocks, b)
	}
	if blocks == nil {
		return nil
	}
	return picture.Write(path, picture.Stack(blocks))
}

// real draws the first images of the data.
func (r *Results) real(ctx context.Context, row Row) (picture.Labelled, error) {
	c, err := row.runConfig(r.Plan.Seeds[0])
	if err != nil {
		return picture.Labelled{}, err
	}
	all, err := data.Open(ctx, c.Data, c.DataOptions(nil, nil))
	if err != nil {
		return picture.Labelled{}, err
	}
	index := data.Range(0, min(blockColumns*blockRows, all.Len()))
	pixels := make([]float32, len(index)*all.Shape().Dim())
	all.Gather(pixels, index)
	view := run.View(c.On(data.KindOf(all), data.LikelihoodOf(all)), all.Shape())
	grid, err := view.Grid(pixels, blockColumns)
	return picture.Labelled{Label: "data", Picture: grid}, err
}

// samples draws samples of a run, with its own solver.
func (r *Results) samples(ctx context.Context, row Row, o Outcome) (picture.Labelled, error) {
	c, err := row.runConfig(o.Seed)
	if err != nil {
		return picture.Labelled{}, err
	}
	stored, err := run.Open(o.Dir)
	if err != nil {
		return picture.Labelled{}, err
	}
	g, err := stored.Generator(true, c.Threads)
	if err != nil {
		return picture.Labelled{}, err
	}
	defer g.Close()
	const n = blockColumns * blockRows
	pixels := make([]float32, n*g.Dim())
	spec := generate.Spec{Solver: c.Solver, Steps: c.SolverSteps, Seed: o.Seed}
	if err := g.Sample(ctx, pixels, n, spec); err != nil {
		return picture.Labelled{}, err
	}
	grid, err := g.View().Grid(pixels, blockColumns)
	return picture.Labelled{Label: row.Name, Picture: grid}, err
}
