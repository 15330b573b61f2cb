package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

const latentsLong = "" +
	`Write the latents of rows. Without --data these are those that the rows of the training have: their
particles, or of a method with an encoder the mean and the standard deviation of q(z|x). With --data
they are drawn from the posterior p(z|x) of the new rows. The run defaults to the newest.

The table has a line for each row: its number in the source, its file and its label, if it has one.
Of training rows follow particles, N x d (or mean and std), and flipped, 1 for mirror images; of new
rows draws, N x d; mean and std, d, of the posterior; energy, -log p(x|z) - log p(z) in nats; and
settled, 1 unless the energy was still falling when the particles had to stop.`

const latentsExample = `  plume latents 7 -o latents.npz               the particles of the training rows
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
	l.addFlags(cmd.Flags(), "the rows of the run's training", "-",
		"a table (.csv, .npz, .parquet), or - for CSV")
	return cmd
}

func (l *latentsCommand) run(args []string) error {
	if err := table.CheckPath(l.out, l.columns(0)...); err != nil {
		return usage(err)
	}
	return l.ask(args, func(ctx context.Context) error {
		rows, err := l.read(ctx, false, nil)
		if err != nil {
			return err
		}
		return l.infer(ctx, rows)
	})
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
	return l.write(l.columns(l.stored.Latent()), func(put func(lo, n int, blocks ...any) error) error {
		return l.slowly("inferring latents", func() (query.Summary, error) {
			return l.stored.Latents(ctx, rows, l.Options, func(a query.Latents) error {
				return put(a.Lo, len(a.Energy), a.Draws, a.Mean, a.Std, a.Energy, truths(a.Settled))
			})
		})
	})
}
