package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
)

// ErrNothingMissing is the error of a table that has no missing cells in the columns that the model
// knows.
var ErrNothingMissing = errors.New("nothing is missing: expected empty cells in columns that the " +
	"model knows")

// CompleteOptions say how a table is completed. The zero value is ready to use.
type CompleteOptions struct {
	Options
	// Written makes the known cells of the tables the texts that they were read from, also those
	// of columns that are not modelled; they are read again, from the table at Path, or from the
	// run's own for "". Texts then has all columns. Otherwise cells are values where they have
	// them.
	Written bool
	Path    string
}

// Completed is rows Lo to Lo+Rows-1 of a table with their missing cells filled in.
type Completed struct {
	Lo, Rows    int
	Imputations Imputations // of the encoded rows

	of *completion
}

// Complete fills in the missing cells of rows of a table, which are those of Read or HeldOut,
// encoded by the run's schema, and passes them on block by block. A run that was trained on other
// data than a table, and rows of which nothing is missing (ErrNothingMissing), are errors. It stops
// early as Latents does.
func (s *Stored) Complete(
	ctx context.Context, ds data.Dataset, o CompleteOptions, use func(Completed) error,
) (Summary, error) {
	all := data.TableOf(ds)
	if s.schema == nil || all == nil {
		return Summary{}, fmt.Errorf("%s was trained on %s, and the rows are of %s: expected a "+
			"run on a table, and rows of one", s.run.Dir, s.Config().As, ds.Name())
	}
	r, err := s.Rows(ds)
	switch {
	case err != nil:
		return Summary{}, err
	case r.Missing == nil || !r.Missing.Any():
		return Summary{}, ErrNothingMissing
	}
	c := &completion{
		schema: s.schema, rows: ds, missing: r.Missing, table: all, offsets: s.schema.Offsets(),
	}
	if o.Written {
		if c.written, err = s.written(ctx, ds, o.Path); err != nil {
			return Summary{}, err
		}
	}
	return s.Impute(ctx, r, o.Options, func(a Imputations) error {
		return use(Completed{Lo: a.Lo, Rows: len(a.Missing), Imputations: a, of: c})
	})
}

// Mean is the rows with each missing number or date filled in with its mean, and each missing
// category with the most probable one.
func (c Completed) Mean() *columns.Table {
	return c.of.fill(c.Lo, c.of.schema.Decoded(c.Imputations.Mean, nil), 1)
}

// Draws is the rows, N times each one after the other, each time with a draw of what is missing,
// where N is Options.Particles.
func (c Completed) Draws() *columns.Table {
	t := c.of.schema.Decoded(c.Imputations.Completions, nil)
	return c.of.fill(c.Lo, t, t.M/c.Rows)
}

// Uncertainty tells of each column, Rows numbers, how sure the cells of Mean are, as
// columns.Schema.Uncertainty does; NaN of those that were known.
func (c Completed) Uncertainty() [][]float64 {
	all := c.of.schema.Uncertainties(c.Imputations.Mean, c.Imputations.Std)
	for column, values := range all {
		for i := range values {
			if !c.of.isMissing(c.Lo+i, column) {
				values[i] = math.NaN()
			}
		}
	}
	return all
}

// completion is a table that is being completed.
type completion struct {
	schema  *columns.Schema
	rows    data.Dataset
	missing *data.Missing
	table   *columns.Table // that the rows are of
	offsets []int          // of the columns in an encoded row
	written map[int][]string
}

// written reads the cells of rows as their table has them, in the order of the schema's columns, by
// the number of the row in the table.
func (s *Stored) written(
	ctx context.Context, ds data.Dataset, path string,
) (map[int][]string, error) {
	cells := map[int][]string{}
	for i := range ds.Len() {
		cells[ds.Origin(i).Row] = nil
	}
	src, err := s.Cells(ctx, path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	names := columns.Names(src)
	var from []int // the column of the source for each of the schema; -1: it has none
	for i := range s.schema.Columns {
		from = append(from, slices.Index(names, s.schema.Columns[i].Name))
	}
	for row := 0; ; row++ {
		all, err := src.Next()
		if errors.Is(err, io.EOF) {
			return cells, nil
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		if _, asked := cells[row]; !asked {
			continue
		}
		mine := make([]string, len(from))
		for i, at := range from {
			if at >= 0 {
				mine[i] = all[at]
			}
		}
		cells[row] = mine
	}
}

// fill replaces the cells of t that were known by these. t holds the rows from lo on, each n times.
func (c *completion) fill(lo int, t *columns.Table, n int) *columns.Table {
	for column := range c.schema.Columns {
		switch {
		case c.written != nil:
			t.Texts[column] = c.texts(column, lo, t, n)
		case c.table.Texts[column] != nil:
			t.Texts[column] = make([]string, t.M)
			for i := range t.M {
				t.Texts[column][i] = c.table.Texts[column][c.origin(lo+i/n)]
			}
		case c.table.Values[column] != nil:
			if t.Values[column] == nil {
				t.Values[column] = make([]float64, t.M)
			}
			for i := range t.M {
				if row := lo + i/n; !c.isMissing(row, column) {
					t.Values[column][i] = c.table.Values[column][c.origin(row)]
				}
			}
		}
	}
	return t
}

// texts are the cells of a column: as they are written, and where they are missing those of t.
func (c *completion) texts(column, lo int, t *columns.Table, n int) []string {
	texts := make([]string, t.M)
	for i := range texts {
		row := lo + i/n
		if c.isMissing(row, column) {
			texts[i] = t.Text(i, column)
		} else if cells := c.written[c.origin(row)]; cells != nil {
			texts[i] = cells[column]
		}
	}
	return texts
}

// origin is the number of row i in its table.
func (c *completion) origin(i int) int { return c.rows.Origin(i).Row }

// isMissing reports whether the model fills in the cell of row i in a column.
func (c *completion) isMissing(i, column int) bool {
	at := c.offsets[column]
	return at >= 0 && c.missing.Row(i)[at]
}
