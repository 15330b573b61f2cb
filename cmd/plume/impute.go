package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

const imputeLong = "" +
	`Fill in what is missing of rows, by draws from the posterior p(z|x) given what is known.
The run defaults to the newest, the rows to those that were held out of its training.

Missing is: a rectangle of every picture or samples of every signal (--hole), what a file says
(--mask: a .npy array of the rows' shape or of one row's, where 0 or false is missing), and NaN in
an array of floats.

A table has for each row the mean and the standard deviation of every value under the model, with
the noise of a value (known values: themselves, and 0), and with --completions each completion,
without that noise. A .png shows, for each of the first rows, the row, what is known of it, the
mean, and completions; of signals a panel, where what is missing is shaded.

Of a table missing is what is empty, and the output is the table: known cells as they were, also of
columns that are not modelled, and the others filled with the mean, or the most probable category.
With --completions each row is there --particles times (column completion), each time with a draw
of what is missing. With --std a column name_std tells the standard deviation of each number (of a
date in days), and name_p the probability of a category; known cells have none.`

const imputeExample = `  plume impute 7 --hole 8,8,12,12 -o filled.png       of held-out rows
  plume impute 7 --data holes.npy -o filled.npz        NaN is missing
  plume impute 7 --data new.npy --mask mask.npy --completions -o filled.npz
  plume impute 7 --data holes.csv -o filled.csv        empty cells of a table are missing`

type imputeCommand struct {
	queryCommand
	mask, hole  string
	completions bool
	std         bool
}

func newImpute() *cobra.Command {
	m := &imputeCommand{}
	cmd := &cobra.Command{
		Use:     "impute [RUN] [flags]",
		Short:   "Fill in missing values, several times",
		Long:    imputeLong,
		Example: imputeExample,
		Args:    oneRun,
		RunE: command(func(_ *cobra.Command, args []string) error {
			return m.run(args)
		}),
	}
	flags := cmd.Flags()
	m.addFlags(cmd, heldOutRows, "-", "a table (.csv, .npz, .parquet), a .png, or - for CSV")
	flags.StringVar(&m.hole, "hole", "",
		"X,Y,W,H: a rectangle of every picture that is missing, in pixels from the top left; "+
			"X,W: samples of every signal, the first and how many")
	flags.StringVar(&m.mask, "mask", "",
		".npy `file` that says what is known: 0 or false is missing")
	flags.BoolVar(&m.completions, "completions", false,
		"write every completion, too; of a table in the place of the mean")
	flags.BoolVar(&m.std, "std", false, "of a table: write how sure each cell is, too")
	return cmd
}

func (m *imputeCommand) run(args []string) error {
	if err := m.check(); err != nil {
		return usage(err)
	}
	return m.ask(args, func(ctx context.Context) error {
		if err := m.checkKind(); err != nil {
			return usage(err)
		}
		rows, err := m.read(ctx, true, m.heldOut)
		if err != nil {
			return err
		}
		if rows.Missing, err = m.missing(ctx, rows.Missing); err != nil {
			return usage(err)
		}
		switch {
		case m.onTable():
			return m.complete(ctx)
		case m.isPicture():
			return m.draw(ctx, rows)
		}
		return m.tabulate(ctx, rows)
	})
}

// imputedRows is how many rows a picture shows.
const imputedRows = 16

func (m *imputeCommand) check() error {
	if m.isPicture() {
		if m.completions {
			return fmt.Errorf("--completions is for tables, and %s is a picture", m.out)
		}
		if m.rows == 0 || m.rows > imputedRows {
			m.rows = imputedRows
		}
		return checkDirectory(m.out)
	}
	return checkTable(m.out)
}

// columns are those of the table; dims is the shape of an image.
func (m *imputeCommand) columns(dims []int) []table.Column {
	columns := []table.Column{
		{Name: "missing", Kind: table.Int64}, {Name: "settled", Kind: table.Int64},
		{Name: "mean", Dims: dims}, {Name: "std", Dims: dims},
	}
	if m.completions {
		columns = append(columns, table.Column{
			Name: "completions", Dims: append([]int{m.Particles}, dims...),
		})
	}
	return columns
}

// missing adds what --hole and --mask say to what is missing of the data.
func (m *imputeCommand) missing(ctx context.Context, of *data.Missing) (*data.Missing, error) {
	all := []*data.Missing{of}
	if m.hole != "" {
		hole, err := parseHole(m.hole, m.stored.Shape())
		if err != nil {
			return nil, err
		}
		all = append(all, hole)
	}
	if m.mask != "" {
		known, err := data.ReadMask(ctx, m.mask, m.stored.Shape(), m.source.Len())
		if err != nil {
			return nil, err
		}
		all = append(all, known)
	}
	if of = data.Both(all...); of == nil || !slices.Contains(of.At, true) {
		if m.onTable() {
			return nil, fmt.Errorf("%w (give the table with --data)", query.ErrNothingMissing)
		}
		return nil, errors.New("nothing is missing: expected --hole, --mask with a 0, or NaN in " +
			"the data")
	}
	return of, nil
}

// parseHole returns the rectangle X,Y,W,H of pictures as what is missing; of signals (H = 1) also
// the samples X,W of all channels.
func parseHole(text string, shape data.Shape) (*data.Missing, error) {
	wrong := fmt.Errorf("--hole is %q; expected X,Y,W,H: a rectangle within the %v of a picture, "+
		"such as %d,%d,%d,%d", text, shape, shape.W/4, shape.H/4, shape.W/2, shape.H/2)
	if shape.H == 1 {
		wrong = fmt.Errorf("--hole is %q; expected X,W: the first of the samples that are "+
			"missing, and how many, within the %d of a signal, such as %d,%d", text, shape.W,
			shape.W/4, shape.W/2)
	}
	parts := strings.Split(text, ",")
	if len(parts) == 2 && shape.H == 1 {
		parts = []string{parts[0], "0", parts[1], "1"}
	}
	if len(parts) != 4 {
		return nil, wrong
	}
	var at [4]int
	for i, part := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 {
			return nil, wrong
		}
		at[i] = n
	}
	hole, err := data.Hole(shape, at[0], at[1], at[2], at[3])
	if err != nil {
		return nil, wrong
	}
	return hole, nil
}

func (m *imputeCommand) tabulate(ctx context.Context, rows query.Rows) error {
	columns := m.columns(m.stored.Shape().Dims(1)[1:])
	return m.write(columns, func(put func(lo, n int, blocks ...any) error) error {
		return m.slowly("imputing", func() (query.Summary, error) {
			return m.stored.Impute(ctx, rows, m.Options, func(a query.Imputations) error {
				counts := make([]int64, len(a.Missing))
				for i, n := range a.Missing {
					counts[i] = int64(n)
				}
				m.stored.Config().Unscale(a.Mean)
				m.stored.Config().UnscaleSpread(a.Std)
				m.stored.Config().Unscale(a.Completions)
				blocks := []any{counts, truths(a.Settled), a.Mean, a.Std}
				if m.completions {
					blocks = append(blocks, a.Completions)
				}
				return put(a.Lo, len(counts), blocks...)
			})
		})
	})
}

// shownCompletions is how many completions of a row a picture shows.
const shownCompletions = 5

// draw writes a picture of what is missing of each row, and what it is filled with.
func (m *imputeCommand) draw(ctx context.Context, rows query.Rows) error {
	dim, k := m.stored.Shape().Dim(), min(shownCompletions, m.Particles)
	originals := m.gather(rows, rows.Images.Len())
	var all []picture.Imputed
	err := m.slowly("imputing", func() (query.Summary, error) {
		return m.stored.Impute(ctx, rows, m.Options, func(a query.Imputations) error {
			for i := range a.Missing {
				shown := picture.Imputed{
					Row: originals[(a.Lo+i)*dim:][:dim], Missing: rows.Missing.Row(a.Lo + i),
					Mean: slices.Clone(a.Mean[i*dim : (i+1)*dim]),
				}
				for j := range k {
					x := a.Completions[(i*m.Particles+j)*dim:][:dim]
					shown.Completions = append(shown.Completions, slices.Clone(x))
				}
				all = append(all, shown)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	const perLine = 4
	drawn, err := m.stored.View().Imputations(all, min(len(all), perLine))
	if err == nil {
		err = picture.Write(m.out, drawn)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Println(m.out)
	return err
}
