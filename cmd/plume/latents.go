package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/table"
)

const latentsLong = "" +
	`Write the latents of rows. Without --data these are those that the rows of the training have:
their particles, or of a method with an encoder the mean and the standard deviation of q(z|x). With
--data they are drawn from the posterior p(z|x) of the new rows. The run defaults to the newest.
Particles are read and written block by block, in memory that does not grow with the rows.

The table has a line for each row: its number in the source, its file and its label, if it has one.
Of training rows follow particles, N x d (or mean and std), and flipped, 1 for mirror images; of new
rows draws, N x d; mean and std, d, of the posterior; energy, -log p(x|z) - log p(z) in nats; and
settled, 1 unless the energy was still falling when the particles had to stop.`

const latentsExample = `  plume latents 7 -o latents.npz               those of the training rows
  plume latents 7 --data new/ -o new.parquet   of other pictures
  plume latents 7 --data new.npy -n 100        of the first 100 rows, as CSV`

type latentsCommand struct{ queryCommand }

func newLatents() *cobra.Command {
	l := &latentsCommand{}
	cmd := &cobra.Command{
		Use:     "latents [RUN] [flags]",
		Short:   "Latents of training rows, or of new ones",
		Long:    latentsLong,
		Example: latentsExample,
		Args:    oneRun,
		RunE: command(func(_ *cobra.Command, args []string) error {
			return l.run(args)
		}),
	}
	l.addFlags(cmd, "the rows of the run's training", "-",
		"a table (.csv, .npz, .parquet), or - for CSV")
	return cmd
}

func (l *latentsCommand) run(args []string) error {
	if err := checkTable(l.out); err != nil {
		return usage(err)
	}
	return l.ask(args, func(ctx context.Context) error {
		if l.data == "" {
			return l.trained(ctx)
		}
		rows, err := l.read(ctx, false, nil)
		if err != nil {
			return err
		}
		return l.infer(ctx, rows)
	})
}

// trained writes the latents of the training rows, or of the first of them.
func (l *latentsCommand) trained(ctx context.Context) error {
	d := l.stored.Latent()
	columns := []table.Column{
		{Name: "row", Kind: table.Int64}, {Name: "file", Kind: table.String},
		{Name: "label", Kind: table.String}, {Name: "flipped", Kind: table.Int64},
	}
	if l.stored.HasParticles() {
		columns = append(columns,
			table.Column{Name: "particles", Dims: []int{l.stored.TrainedParticles(), d}})
	} else {
		columns = append(columns, table.Column{Name: "mean", Dims: []int{d}},
			table.Column{Name: "std", Dims: []int{d}})
	}
	return l.table(columns, func(w *table.Writer) error {
		enough := errors.New("enough rows")
		err := l.stored.Trained(ctx, l.how("", false), func(t query.Trained) error {
			n, last := len(t.Rows), false
			if l.rows > 0 && t.Lo+n >= l.rows {
				n, last = l.rows-t.Lo, true
			}
			blocks := append(l.origins(t.Rows[:n]), cut(t.Particles, n, len(t.Rows)))
			if t.Particles == nil {
				blocks = append(l.origins(t.Rows[:n]), cut(t.Mean, n, len(t.Rows)),
					cut(t.Std, n, len(t.Rows)))
			}
			if err := w.Append(blocks...); err != nil || !last {
				return err
			}
			return enough
		})
		if errors.Is(err, enough) {
			return nil
		}
		return err
	})
}

// cut is the first n of so many rows.
func cut(x []float32, n, rows int) []float32 { return x[:len(x)/rows*n] }

// origins are the columns that tell training rows apart.
func (l *latentsCommand) origins(rows []run.Row) []any {
	numbers, flipped := make([]int64, len(rows)), make([]bool, len(rows))
	files, labels := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		numbers[i], flipped[i] = int64(r.Source), r.Flipped
		files[i], labels[i] = r.File, l.stored.LabelName(r.Label)
	}
	return []any{numbers, files, labels, truths(flipped)}
}

// columns are those of new rows, whose latents have d numbers.
func (l *latentsCommand) columns(d int) []table.Column {
	return []table.Column{
		{Name: "draws", Dims: []int{l.Particles, d}}, {Name: "mean", Dims: []int{d}},
		{Name: "std", Dims: []int{d}}, {Name: "energy", Kind: table.Float64},
		{Name: "settled", Kind: table.Int64},
	}
}

// infer writes the latents of new rows.
func (l *latentsCommand) infer(ctx context.Context, rows query.Rows) error {
	columns := l.columns(l.stored.Latent())
	return l.write(columns, func(put func(lo, n int, blocks ...any) error) error {
		return l.slowly("inferring latents", func() (query.Summary, error) {
			return l.stored.Latents(ctx, rows, l.Options, func(a query.Latents) error {
				return put(a.Lo, len(a.Energy), a.Draws, a.Mean, a.Std, a.Energy, truths(a.Settled))
			})
		})
	})
}
