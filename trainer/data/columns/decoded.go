package columns

import "math"

// Decoded returns the table of encoded rows, M x D numbers, as Decode turns them into cells. gaps
// says which of them are missing, as Table.Encode does; nil: none. Cells of columns of the kinds
// Text, Ignore and Label are not known.
func (s *Schema) Decoded(x []float32, gaps []bool) *Table {
	d := s.Width()
	if d == 0 || len(x)%d != 0 || gaps != nil && len(gaps) != len(x) {
		panic("columns: Decoded needs rows of D numbers, and what is missing of them or nil")
	}
	t := &Table{
		Schema: s, M: len(x) / d, Values: make([][]float64, len(s.Columns)),
		Texts: make([][]string, len(s.Columns)),
	}
	for c := range t.Values {
		if s.Columns[c].Kind.Modelled() || s.Columns[c].Kind == Constant {
			t.Values[c] = make([]float64, t.M)
		}
	}
	row, offsets := make([]float64, len(s.Columns)), s.Offsets()
	for i := range t.M {
		s.Decode(row, x[i*d:(i+1)*d])
		for c, values := range t.Values {
			switch {
			case values == nil:
			case gaps != nil && offsets[c] >= 0 && gaps[i*d+offsets[c]]:
				values[i] = missing
			default:
				values[i] = row[c]
			}
		}
	}
	return t
}

// Known reports whether the cell of row i in column c is not missing.
func (t *Table) Known(i, c int) bool {
	switch {
	case t.Values[c] != nil:
		return !math.IsNaN(t.Values[c][i])
	case t.Texts[c] != nil:
		return t.Texts[c][i] != ""
	}
	return false
}

// Days reports whether the dates of a column are days, without a time.
func (c *Column) Days() bool { return resolution(c.Format) == 24*3600 }

// Uncertainty tells how sure a decoded row is, whose encoded numbers have these means and standard
// deviations: of numbers and dates it is the standard deviation in the unit of the column (of dates
// in days), of booleans and categories the probability of the cell that Decode chooses. Columns
// that are not modelled have NaN. It panics as Decode does.
func (s *Schema) Uncertainty(dst []float64, mean, std []float32) {
	s.Decode(dst, mean)
	at := 0
	for i := range s.Columns {
		c := &s.Columns[i]
		x, width := mean[at:], c.Width()
		switch {
		case width == 0:
			dst[i] = missing
		case c.Kind == Categorical:
			dst[i] = float64(x[int(dst[i])])
		case c.Kind == Boolean:
			dst[i] = float64(max(x[0], 1-x[0]))
		default:
			m, d := float64(x[0]), float64(std[at])
			dst[i] = (c.Invert(m+d) - c.Invert(m-d)) / 2
			if c.Kind == Date {
				dst[i] /= 24 * 3600
			}
		}
		at += width
	}
}

// Uncertainties is Uncertainty of M rows, M x D numbers each: of each column, M numbers.
func (s *Schema) Uncertainties(mean, std []float32) [][]float64 {
	d := s.Width()
	if d == 0 || len(mean)%d != 0 || len(std) != len(mean) {
		panic("columns: Uncertainties needs the means and the standard deviations of rows of D " +
			"numbers")
	}
	all, row := make([][]float64, len(s.Columns)), make([]float64, len(s.Columns))
	for c := range all {
		all[c] = make([]float64, len(mean)/d)
	}
	for i := range len(mean) / d {
		s.Uncertainty(row, mean[i*d:(i+1)*d], std[i*d:(i+1)*d])
		for c, v := range row {
			all[c][i] = v
		}
	}
	return all
}
