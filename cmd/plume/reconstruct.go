package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/data"
	diagrams "github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

const reconstructLong = "" +
	`Draw the latents of rows from the posterior p(z|x) of a run's model, and decode them: what the
model makes of the rows, and how far that is from them. The run defaults to the newest, the rows to
those that were held out of its training.

A table has a line for each row: mse, the mean squared error of a value between the row and the mean
of the decoded draws; draw_mse, the same for single draws; energy, -log p(x|z) - log p(z) in nats;
settled, 1 unless the energy was still falling when the particles had to stop; and with --decoded
the mean and the standard deviation of the decoded draws. A .png shows originals above
reconstructions, the first 64.

Of a run on a table mse and draw_mse are of its encoded numbers, and --decoded gives the columns of
the table in their units, with name_std, the standard deviation of a number (of a date in days), or
name_p, the probability of a category. A .png shows originals against reconstructions, the first
500, by columns.`

const reconstructExample = `  plume reconstruct 7                              of held-out rows
  plume reconstruct 7 --data new/ -o errors.csv    of pictures in a directory
  plume reconstruct 7 -n 20 -o pairs.png           originals above reconstructions
  plume reconstruct 7 --data new.npy --decoded -o decoded.npz`

// shownRows is how many rows a picture shows, and shownPoints how many rows of a table.
const shownRows, shownPoints = 64, 500

type reconstructCommand struct {
	queryCommand
	decoded bool
}

func newReconstruct() *cobra.Command {
	r := &reconstructCommand{}
	cmd := &cobra.Command{
		Use:     "reconstruct [RUN] [flags]",
		Short:   "Decode the posterior of rows, and measure their errors",
		Long:    reconstructLong,
		Example: reconstructExample,
		Args:    oneRun,
		RunE: command(func(_ *cobra.Command, args []string) error {
			return r.run(args)
		}),
	}
	flags := cmd.Flags()
	r.addFlags(cmd, heldOutRows, "-", "a table (.csv, .npz, .parquet), a .png, or - for CSV")
	flags.BoolVar(&r.decoded, "decoded", false, "write the decoded values, too")
	return cmd
}

// heldOutRows describes the rows that most commands ask about by default.
const heldOutRows = "the rows held out of the run's training"

func (r *reconstructCommand) run(args []string) error {
	if err := r.check(); err != nil {
		return usage(err)
	}
	return r.ask(args, func(ctx context.Context) error {
		if r.isPicture() {
			r.limitShown()
		}
		rows, err := r.read(ctx, false, r.heldOut)
		if err != nil {
			return err
		}
		if r.isPicture() {
			return r.draw(ctx, rows)
		}
		return r.tabulate(ctx, rows)
	})
}

// limitShown takes as many rows as a picture shows.
func (r *reconstructCommand) limitShown() {
	most := shownRows
	if r.onTable() {
		most = shownPoints
	}
	if r.rows == 0 || r.rows > most {
		r.rows = most
	}
}

// check refuses an output that cannot be written, before long work.
func (r *reconstructCommand) check() error {
	if r.isPicture() {
		if r.decoded {
			return fmt.Errorf("--decoded is for tables, and %s is a picture", r.out)
		}
		return checkDirectory(r.out)
	}
	return checkTable(r.out)
}

// columns are those of the table; dims is the shape of an image.
func (r *reconstructCommand) columns(dims []int) []table.Column {
	columns := []table.Column{
		{Name: "mse", Kind: table.Float64}, {Name: "draw_mse", Kind: table.Float64},
		{Name: "energy", Kind: table.Float64}, {Name: "settled", Kind: table.Int64},
	}
	if r.decoded {
		if r.onTable() {
			return append(columns, newDecoded(r.out, r.stored.Schema()).columns()...)
		}
		columns = append(columns, table.Column{Name: "mean", Dims: dims},
			table.Column{Name: "std", Dims: dims})
	}
	return columns
}

func (r *reconstructCommand) tabulate(ctx context.Context, rows query.Rows) error {
	columns := r.columns(r.stored.Shape().Dims(1)[1:])
	return r.write(columns, func(put func(lo, n int, blocks ...any) error) error {
		return r.slowly("reconstructing", func() (query.Summary, error) {
			return r.stored.Reconstruct(ctx, rows, r.Options, func(a query.Reconstructions) error {
				blocks := []any{a.MSE, a.DrawMSE, a.Energy, truths(a.Settled)}
				switch {
				case r.decoded && r.onTable():
					of := newDecoded(r.out, r.stored.Schema())
					blocks = append(blocks, of.blocks(a.Mean, a.Std)...)
				case r.decoded:
					r.stored.Config().Unscale(a.Mean)
					r.stored.Config().UnscaleSpread(a.Std)
					blocks = append(blocks, a.Mean, a.Std)
				}
				return put(a.Lo, len(a.MSE), blocks...)
			})
		})
	})
}

// draw writes a picture of the rows above what the model makes of them.
func (r *reconstructCommand) draw(ctx context.Context, rows query.Rows) error {
	n := rows.Images.Len()
	var decoded []float32
	err := r.slowly("reconstructing", func() (query.Summary, error) {
		return r.stored.Reconstruct(ctx, rows, r.Options, func(a query.Reconstructions) error {
			decoded = append(decoded, a.Mean...)
			return nil
		})
	})
	if err != nil {
		return err
	}
	perLine := 16
	if r.stored.Config().As == data.Signals {
		perLine = 6
	}
	if r.onTable() {
		err = r.drawColumns(decoded)
	} else {
		names := [2]string{"rows", "their reconstructions"}
		err = r.stored.View().WritePairs(r.out, names, r.gather(rows, n), decoded, min(n, perLine))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Println(r.out)
	return err
}

// drawColumns writes a picture of the rows' columns against what the model makes of them.
func (r *reconstructCommand) drawColumns(decoded []float32) error {
	names := [2]string{"original", "reconstruction"}
	rows := data.Decoded(r.source, data.Range(0, r.source.Len()))
	drawn, err := picture.Tables(names, rows, r.stored.Schema().Decoded(decoded, nil)).Agreement()
	if errors.Is(err, diagrams.ErrEmpty) {
		err = errors.New("none of the columns that the model knows is one of numbers or dates: " +
			"expected a table (--output name.csv) and --decoded")
	}
	if err != nil {
		return err
	}
	return picture.Write(r.out, drawn)
}

// isPicture reports whether the output is a picture.
func (q *queryCommand) isPicture() bool { return filepath.Ext(q.out) == ".png" }
