package columns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// reading is the reading of a table under way.
type reading struct {
	src     Source
	table   *Table
	parsers []*parser
	others  []int // of each constant or empty column, cells that are something else
}

// Read reads a source of the given number of rows to its end into a table. It uses the schema that
// Infer has found for the source, and completes it: with the means and scales of its columns. Cells
// that its kinds do not have are an error.
func Read(
	ctx context.Context, src Source, schema *Schema, rows int, opt Options,
) (*Table, error) {
	r, err := newReading(src, schema, rows)
	if err != nil {
		return nil, err
	}
	for row := 0; ; row++ {
		cells, err := src.Next()
		switch {
		case errors.Is(err, io.EOF) && row == rows:
			r.warn(opt)
			return r.table, r.table.fit()
		case errors.Is(err, io.EOF):
			err = fmt.Errorf("ends after %s, and had %d before; expected a file that does not "+
				"change while it is read", count(row, "row"), rows)
		case err == nil && row == rows:
			err = fmt.Errorf("has more than the %s that it had before; expected a file that does "+
				"not change while it is read", count(rows, "row"))
		case err == nil:
			err = r.take(row, cells)
		}
		if err == nil {
			err = opt.pause(ctx, row)
		}
		if err != nil {
			return nil, err
		}
	}
}

func newReading(src Source, schema *Schema, rows int) (*reading, error) {
	n := len(schema.Columns)
	r := &reading{
		src: src, others: make([]int, n),
		table: &Table{
			Schema: schema, M: rows, Values: make([][]float64, n), Texts: make([][]string, n),
		},
	}
	for i := range schema.Columns {
		c := &schema.Columns[i]
		p, err := schema.newParser(c, src.Columns()[i], src.Delimiter())
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		r.parsers = append(r.parsers, p)
		switch {
		case c.Kind.isWritten():
			r.table.Texts[i] = make([]string, rows)
		case c.Kind != Empty:
			r.table.Values[i] = make([]float64, rows)
		}
	}
	return r, nil
}

// take reads the cells of a row.
func (r *reading) take(row int, cells []string) error {
	t := r.table
	for i, cell := range cells {
		p := r.parsers[i]
		if t.Values[i] == nil && p.c.Kind.isWritten() {
			t.Texts[i][row] = strings.Clone(cell) // not the memory of the whole line
			continue
		}
		v := missing
		if !p.isMissing(cell) {
			var err error
			if v, err = p.value(cell); err != nil {
				return fault{r.src.Place(), p.c.Name, err.Error()}
			}
			r.checkFixed(row, i, cell)
		}
		if t.Values[i] != nil {
			t.Values[i][row] = v
		}
	}
	return nil
}

// checkFixed keeps a cell of a constant or empty column, in other data, that is something else.
func (r *reading) checkFixed(row, i int, cell string) {
	c, t := r.parsers[i].c, r.table
	if c.Kind != Empty && c.Kind != Constant || c.Kind == Constant && c.isValue(cell) {
		return
	}
	if t.Texts[i] == nil {
		t.Texts[i] = make([]string, t.M)
		for k := range t.Texts[i] {
			if c.Kind == Constant {
				t.Texts[i][k] = c.Value
			}
		}
	}
	t.Texts[i][row] = strings.Clone(cell)
	r.others[i]++
}

// isValue reports whether a cell is the value of a constant column, or the same number.
func (c *Column) isValue(cell string) bool {
	if cell == c.Value {
		return true
	}
	a, isNumber := parseNumber(cell, c.DecimalComma)
	b, ok := parseNumber(c.Value, c.DecimalComma)
	return isNumber && ok && a.value == b.value
}

// warn tells of cells that the schema says cannot be.
func (r *reading) warn(opt Options) {
	for i, n := range r.others {
		if n == 0 {
			continue
		}
		c := r.parsers[i].c
		was := fmt.Sprintf("was always %q", c.Value)
		if c.Kind == Empty {
			was = "was empty"
		}
		opt.warn("column %q is something else in %s, and %s when the schema was made: it is not "+
			"modelled", c.Name, count(n, "row"), was)
	}
}

// fit completes the schema with the means and scales of the columns.
func (t *Table) fit() error {
	for i := range t.Schema.Columns {
		c := &t.Schema.Columns[i]
		if !c.Kind.isNumber() {
			continue
		}
		if c.fit(t.Values[i]); !(c.Scale > 0) || math.IsInf(c.Scale, 0) {
			return fault{"", c.Name, fmt.Sprintf("has the standard deviation %v after the "+
				"transform %q; expected different values, neither too near nor too far for a "+
				"float64", c.Scale, c.Transform)}
		}
	}
	return nil
}
