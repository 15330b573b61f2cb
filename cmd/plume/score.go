package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

const scoreLong = "" +
	`Score rows by how likely a run's model finds them, to detect anomalies: the higher the energy,
the less likely. The run defaults to the newest, the rows to those that were held out of its
training.

The table has a line for each row: energy, -log p(x|z) - log p(z), or its bound, in nats, in the
mean over the posterior; data, the first part of it; mse, the mean squared error of a value; log_p,
an importance-sampled estimate of log p(x), and ess, how many effective samples it comes from: it is
too low where these are few; settled, 1 unless the energy was still falling when the particles had
to stop.

If the rows have labels, the last lines on stderr tell how well the scores separate them: the area
under the ROC curve (AUROC) for each label against all others, or for all others against the labels
that --normal names.`

const scoreExample = `  plume score 7                                        held-out rows, as CSV
  plume score 7 --data new.npy -o scores.csv
  plume score 7 --data mixed/ --normal cat,dog         AUROC of all other labels
  plume score 7 --data new.npy --samples 0             the energy alone, in a fraction of the time`

type scoreCommand struct {
	queryCommand
	samples, draws int
	normal         []string
}

func newScore() *cobra.Command {
	s := &scoreCommand{}
	cmd := &cobra.Command{
		Use:     "score [RUN] [flags]",
		Short:   "Energy and log-likelihood of rows, to detect anomalies",
		Long:    scoreLong,
		Example: scoreExample,
		Args:    oneRun,
		RunE: command(func(_ *cobra.Command, args []string) error {
			return s.run(args)
		}),
	}
	flags := cmd.Flags()
	s.addFlags(cmd, heldOutRows, "-", "a table (.csv, .npz, .parquet), or - for CSV")
	flags.IntVar(&s.samples, "samples", 200,
		"importance samples of log p(x) of a row (0: no log p(x))")
	flags.IntVar(&s.draws, "draws", 8, "draws of the bound on log p(z) for each of them")
	flags.StringSliceVar(&s.normal, "normal", nil,
		"labels that are no anomalies, separated by commas")
	register(cmd, "normal", classNames)
	return cmd
}

func (s *scoreCommand) run(args []string) error {
	switch {
	case s.samples < 0 || s.samples == 1:
		return usage(fmt.Errorf("--samples is %d; expected 2 or more, or 0", s.samples))
	case s.draws < 1:
		return usage(fmt.Errorf("--draws is %d; expected 1 or more", s.draws))
	}
	if err := checkTable(s.out); err != nil {
		return usage(err)
	}
	return s.ask(args, func(ctx context.Context) error {
		rows, err := s.read(ctx, false, s.heldOut)
		if err != nil {
			return err
		}
		positive, err := s.anomalies()
		if err != nil {
			return usage(err)
		}
		found, err := s.tabulate(ctx, rows)
		if err != nil {
			return err
		}
		s.doubt(found.ESS)
		return s.separate(positive, found.Energy, found.LogP)
	})
}

func (s *scoreCommand) columns() (columns []table.Column) {
	names := []string{"energy", "data", "mse"}
	if s.samples > 0 {
		names = append(names, "log_p", "ess")
	}
	for _, name := range names {
		columns = append(columns, table.Column{Name: name, Kind: table.Float64})
	}
	return append(columns, table.Column{Name: "settled", Kind: table.Int64})
}

// tabulate writes the scores, and returns the energies and the estimates of log p(x) of all rows.
func (s *scoreCommand) tabulate(
	ctx context.Context, rows query.Rows,
) (all query.Scores, err error) {
	o := query.ScoreOptions{Samples: s.samples, Draws: s.draws}
	err = s.write(s.columns(), func(put func(lo, n int, blocks ...any) error) error {
		return s.slowly("scoring", func() (query.Summary, error) {
			o.Options = s.Options
			return s.stored.Score(ctx, rows, o, func(a query.Scores) error {
				all.Energy, all.LogP = append(all.Energy, a.Energy...), append(all.LogP, a.LogP...)
				all.ESS = append(all.ESS, a.ESS...)
				blocks := []any{a.Energy, a.Data, a.MSE}
				if s.samples > 0 {
					blocks = append(blocks, a.LogP, a.ESS)
				}
				return put(a.Lo, len(a.Energy), append(blocks, truths(a.Settled))...)
			})
		})
	})
	return all, err
}

// doubt warns of estimates of log p(x) that say little.
func (s *scoreCommand) doubt(ess []float64) {
	few := 0
	for _, v := range ess {
		if v < infer.EnoughESS {
			few++
		}
	}
	if few > 0 {
		s.insist(fmt.Sprintf("WARNING: log p(x) of %s of %s rows comes from fewer than %d "+
			"effective samples (column ess), and is too low: the energy is the better score",
			humanize.Comma(int64(few)), humanize.Comma(int64(len(ess))), infer.EnoughESS))
	}
}

// anomaly is a set of rows that scores are to separate from all other rows with a label.
type anomaly struct {
	name string
	is   func(label int) bool
}

// anomalies returns the sets that the labels of the rows tell of.
func (s *scoreCommand) anomalies() (all []anomaly, err error) {
	classes, err := data.ClassesOf(s.source)
	if err != nil {
		if len(s.normal) > 0 {
			return nil, fmt.Errorf("--normal: the rows have no labels: give them with --labels")
		}
		return nil, nil
	}
	var normal []int
	for _, name := range s.normal {
		class, err := classes.Find(name)
		if err != nil {
			return nil, fmt.Errorf("--normal: %w", err)
		}
		normal = append(normal, classes.Labels[class])
	}
	if normal != nil {
		name := "other than " + strings.Join(s.normal, ", ")
		abnormal := func(label int) bool { return !slices.Contains(normal, label) }
		return []anomaly{{name, abnormal}}, nil
	}
	if classes.Len() < 2 {
		return nil, nil
	}
	for i, of := range classes.Labels {
		all = append(all, anomaly{classes.Names[i], func(label int) bool { return label == of }})
	}
	return all, nil
}

// separate tells how well the scores separate the sets from the other rows.
func (s *scoreCommand) separate(sets []anomaly, energy, logP []float64) error {
	for _, set := range sets {
		text := ""
		for _, score := range []struct {
			name   string
			values []float64
			sign   float64
		}{{"energy", energy, 1}, {"-log p(x)", logP, -1}} {
			if score.values == nil {
				continue
			}
			var in, out []float64
			for i, v := range score.values {
				switch label := s.source.Label(i); {
				case label < 0:
				case set.is(label):
					in = append(in, score.sign*v)
				default:
					out = append(out, score.sign*v)
				}
			}
			if len(in) < 2 || len(out) < 2 {
				continue
			}
			area, err := metric.AUROC(in, out, 0.95)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(", %s %.3f (%.3f to %.3f)", score.name, area.Value, area.Low,
				area.High)
		}
		if text != "" {
			s.insist("AUROC of " + set.name + ":" + strings.TrimPrefix(text, ","))
		}
	}
	return nil
}
