package columns

import "slices"

// Table is the cells of a table of M rows.
type Table struct {
	Schema *Schema
	M      int
	// Values holds, of each column of Schema, M numbers: the numbers of numeric and integer
	// columns, 0 or 1 of booleans, seconds since 1970 in UTC of dates, the index in Categories of
	// categorical and label columns, and 0 of constants. NaN is a missing cell. nil for the other
	// kinds.
	Values [][]float64
	// Texts holds, of each column of the kinds Text and Ignore, the M cells as they are written;
	// nil for the other kinds.
	Texts [][]string
}

// Row copies the values of row i to dst, one for each column: NaN for missing cells, and for
// columns without Values. It panics unless len(dst) = len(Schema.Columns).
func (t *Table) Row(dst []float64, i int) {
	if len(dst) != len(t.Schema.Columns) {
		panic("columns: Row needs a number for each column")
	}
	for c, values := range t.Values {
		dst[c] = missing
		if values != nil {
			dst[c] = values[i]
		}
	}
}

// SetLabels sets the cells of the label column, if there is one, to a category for each row; one
// that the column does not have, such as "", is a missing cell. It panics unless len(categories) =
// M.
func (t *Table) SetLabels(categories []string) {
	if len(categories) != t.M {
		panic("columns: SetLabels needs a category for each row")
	}
	for c := range t.Schema.Columns {
		column := &t.Schema.Columns[c]
		if column.Kind != Label {
			continue
		}
		t.Values[c] = make([]float64, t.M)
		for i, category := range categories {
			t.Values[c][i] = missing
			if at := slices.Index(column.Categories, category); at >= 0 {
				t.Values[c][i] = float64(at)
			}
		}
	}
}

// Text returns the cell of row i in column c as Schema.Format writes it, or as the source has it in
// columns of the kinds Text and Ignore.
func (t *Table) Text(i, c int) string {
	switch {
	case t.Texts[c] != nil:
		return t.Texts[c][i]
	case t.Values[c] == nil:
		return t.Schema.Format(c, missing)
	}
	return t.Schema.Format(c, t.Values[c][i])
}

// Encode returns the M x D encoded numbers, and where they are missing; nil if none is. It needs a
// complete schema.
func (t *Table) Encode() (x []float32, missing []bool) {
	d := t.Schema.Width()
	x, missing = make([]float32, t.M*d), make([]bool, t.M*d)
	row, any := make([]float64, len(t.Schema.Columns)), false
	for i := range t.M {
		t.Row(row, i)
		any = t.Schema.Encode(x[i*d:(i+1)*d], missing[i*d:(i+1)*d], row) || any
	}
	if !any {
		missing = nil
	}
	return x, missing
}
