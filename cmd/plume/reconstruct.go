package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

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
reconstructions, the first 64.`

const reconstructExample = `  plume reconstruct 7                              of held-out rows
  plume reconstruct 7 --data new/ -o errors.csv    of pictures in a directory
  plume reconstruct 7 -n 20 -o pairs.png           originals above reconstructions
  plume reconstruct 7 --data new.npy --decoded -o decoded.npz`

// shownRows is how many rows a picture shows.
const shownRows = 64

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
	r.addFlags(flags, heldOutRows, "-", "a table (.csv, .npz, .parquet), a .png, or - for CSV")
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

// check refuses an output that cannot be written, before long work.
func (r *reconstructCommand) check() error {
	if r.isPicture() {
		if r.decoded {
			return fmt.Errorf("--decoded is for tables, and %s is a picture", r.out)
		}
		if r.rows == 0 || r.rows > shownRows {
			r.rows = shownRows
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
				if r.decoded {
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
	const perLine = 16
	err = picture.WritePairs(r.out, r.gather(rows, n), decoded, r.stored.Shape(), min(n, perLine))
	if err != nil {
		return err
	}
	_, err = fmt.Println(r.out)
	return err
}

// isPicture reports whether the output is a picture.
func (q *queryCommand) isPicture() bool { return filepath.Ext(q.out) == ".png" }
