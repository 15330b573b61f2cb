package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

// checkKind refuses flags that do not suit the run's kind of data.
func (m *imputeCommand) checkKind() error {
	const remedy = ": leave it out; of a table the cells are missing that are empty"
	switch {
	case !m.onTable() && m.std:
		return errors.New("--std is for runs on a table: the others have std anyway")
	case !m.onTable():
		return nil
	case m.hole != "":
		return errors.New("--hole is for pictures, and the run was trained on a table" + remedy)
	case m.mask != "":
		return errors.New("--mask is for arrays, and the run was trained on a table" + remedy)
	case m.isPicture():
		return fmt.Errorf("--output is %q, a picture, and the run was trained on a table: "+
			"expected a name that ends in .csv, .npz or .parquet, or -", m.out)
	case m.std && m.completions:
		return errors.New("--std and --completions exclude each other: the draws are what is told")
	}
	return nil
}

// completion writes completed tables.
type completion struct {
	*imputeCommand
	rows   query.Rows
	schema *columns.Schema
	all    *columns.Table // the table that the rows are of
	cells  table.Cells
	unsure unsure

	offsets []int            // of the columns in an encoded row
	written map[int][]string // of each row of the source, its cells as they are written; nil: not
}

// complete writes the table with its missing cells filled in.
func (m *imputeCommand) complete(ctx context.Context, rows query.Rows) error {
	s := m.stored.Schema()
	c := &completion{
		imputeCommand: m, rows: rows, schema: s, all: data.TableOf(m.source),
		cells: table.NewCells(m.out, s, data.Range(0, len(s.Columns))), offsets: s.Offsets(),
	}
	if c.cells.AreTexts() {
		if err := c.readWritten(ctx); err != nil {
			return err
		}
	}
	columns := c.cells.Columns()
	if m.std {
		c.unsure = unsure{s, modelled(s)}
		columns = append(columns, c.unsure.columns()...)
	}
	if m.completions {
		columns = append([]table.Column{{Name: "completion", Kind: table.Int64}}, columns...)
	}
	return m.tableAs(table.CSVOf(s), columns, func(w *table.Writer) error {
		return m.slowly("imputing", func() (query.Summary, error) {
			return m.stored.Impute(ctx, rows, m.Options, func(a query.Imputations) error {
				if m.completions {
					return w.Append(c.draws(a)...)
				}
				return w.Append(c.means(a)...)
			})
		})
	})
}

// means are rows with the means of what is missing.
func (c *completion) means(a query.Imputations) []any {
	each := func(i int) int { return i }
	filled := c.fill(a.Lo, c.schema.Decoded(a.Mean, nil), each)
	blocks := c.cells.Blocks(filled, data.Range(0, filled.M))
	known := func(i, column int) bool {
		return !c.missing(a.Lo+i, column)
	}
	if !c.std {
		return blocks
	}
	return append(blocks, c.unsure.blocks(a.Mean, a.Std, known)...)
}

// draws are rows with draws of what is missing, several of each.
func (c *completion) draws(a query.Imputations) []any {
	n := c.Particles
	filled := c.fill(a.Lo, c.schema.Decoded(a.Completions, nil), func(i int) int { return i / n })
	numbers := make([]int64, filled.M)
	for i := range numbers {
		numbers[i] = int64(i % n)
	}
	return append([]any{numbers}, c.cells.Blocks(filled, data.Range(0, filled.M))...)
}

// readWritten reads the cells of the rows that are asked about as the source has them.
func (c *completion) readWritten(ctx context.Context) error {
	c.written = map[int][]string{}
	for i := range c.source.Len() {
		c.written[c.source.Origin(i).Row] = nil
	}
	src, err := c.stored.Cells(ctx, c.data)
	if err != nil {
		return err
	}
	defer src.Close()
	names := columns.Names(src)
	var from []int // the column of the source for each of the schema
	for i := range c.schema.Columns {
		from = append(from, slices.Index(names, c.schema.Columns[i].Name))
	}
	for row := 0; ; row++ {
		cells, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if _, asked := c.written[row]; !asked {
			continue
		}
		mine := make([]string, len(from))
		for i, at := range from {
			if at >= 0 {
				mine[i] = cells[at]
			}
		}
		c.written[row] = mine
	}
}

// fill replaces the cells of a decoded table that were known by these: row i is row lo + of(i) of
// those that are asked about.
func (c *completion) fill(lo int, t *columns.Table, of func(i int) int) *columns.Table {
	for column := range c.schema.Columns {
		switch {
		case c.written != nil:
			c.fillTexts(column, lo, t, of)
		case c.all.Texts[column] != nil:
			t.Texts[column] = make([]string, t.M)
			for i := range t.M {
				t.Texts[column][i] = c.all.Texts[column][c.source.Origin(lo+of(i)).Row]
			}
		case c.all.Values[column] != nil:
			if t.Values[column] == nil {
				t.Values[column] = make([]float64, t.M)
			}
			for i := range t.M {
				if row := lo + of(i); !c.missing(row, column) {
					t.Values[column][i] = c.all.Values[column][c.source.Origin(row).Row]
				}
			}
		}
	}
	return t
}

// fillTexts is fill for a column whose cells are written as texts.
func (c *completion) fillTexts(column, lo int, t *columns.Table, of func(i int) int) {
	texts := make([]string, t.M)
	for i := range texts {
		row := lo + of(i)
		if c.missing(row, column) {
			texts[i] = t.Text(i, column)
		} else if cells := c.written[c.source.Origin(row).Row]; cells != nil {
			texts[i] = cells[column]
		}
	}
	t.Texts[column] = texts
}

// missing reports whether the model fills in the cell of row i in a column.
func (c *completion) missing(i, column int) bool {
	at := c.offsets[column]
	return at >= 0 && c.rows.Missing.Row(i)[at]
}
