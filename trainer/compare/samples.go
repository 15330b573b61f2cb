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
// contestant's run with the first seed, each beside its label. Of tables it is the columns of the
// samples beside those of the data. Runs that are not done are left out.
func (r *Results) writeSamples(ctx context.Context, path string) error {
	var blocks []picture.Labelled
	var all data.Dataset // once a run is done
	for i, row := range r.Rows {
		run := r.Runs[i] // the first runs are those with the first seed
		if !run.Done {
			continue
		}
		if all == nil {
			var err error
			if all, err = r.open(ctx, row); err != nil {
				return err
			}
			if data.SchemaOf(all) == nil {
				b, err := r.real(row, all)
				if err != nil {
					return err
				}
				blocks = append(blocks, b)
			}
		}
		b, err := r.samples(ctx, row, run, all)
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

// open reads the data.
func (r *Results) open(ctx context.Context, row Row) (data.Dataset, error) {
	c, err := row.runConfig(r.Plan.Seeds[0])
	if err != nil {
		return nil, err
	}
	return data.Open(ctx, c.Data, c.DataOptions(nil, nil))
}

// real draws the first images of the data.
func (r *Results) real(row Row, all data.Dataset) (picture.Labelled, error) {
	c, err := row.runConfig(r.Plan.Seeds[0])
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

// drawnRows is how many rows of a table are drawn, and compared with as many of the data.
const drawnRows = 2000

// samples draws samples of a run on the data, with its own solver.
func (r *Results) samples(
	ctx context.Context, row Row, o Outcome, all data.Dataset,
) (picture.Labelled, error) {
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
	schema, n := data.SchemaOf(all), blockColumns*blockRows
	if schema != nil {
		n = drawnRows
	}
	pixels := make([]float32, n*g.Dim())
	spec := generate.Spec{Solver: c.Solver, Steps: c.SolverSteps, Seed: o.Seed}
	if err := g.Sample(ctx, pixels, n, spec); err != nil {
		return picture.Labelled{}, err
	}
	if schema != nil {
		names := [2]string{"data", "samples"}
		cells := data.Decoded(all, data.Range(0, min(n, all.Len())))
		drawn, err := picture.Tables(names, cells, schema.Decoded(pixels, nil)).Marginals()
		return picture.Labelled{Label: row.Name, Picture: drawn}, err
	}
	grid, err := g.View().Grid(pixels, blockColumns)
	return picture.Labelled{Label: row.Name, Picture: grid}, err
}
