package columns

import "math"

// missing is the value of a missing cell.
var missing = math.NaN()

// Encode encodes a row, one value for each column as in Table.Values: it writes the D numbers to x,
// and to gaps which of them are missing, and reports whether any is. It needs a complete schema.
func (s *Schema) Encode(x []float32, gaps []bool, row []float64) (any bool) {
	if len(row) != len(s.Columns) || len(x) != s.Width() || len(gaps) != len(x) {
		panic("columns: Encode needs a value for each column, and D numbers")
	}
	clear(x)
	clear(gaps)
	at := 0
	for i := range s.Columns {
		c := &s.Columns[i]
		width, v := c.Width(), row[i]
		switch {
		case width == 0:
			continue
		case math.IsNaN(v):
			any = true
			for j := range width {
				gaps[at+j] = true
			}
		case c.Kind == Categorical:
			x[at+int(v)] = 1
		case c.Kind == Boolean:
			x[at] = float32(v)
		default:
			x[at] = float32((c.transform(v) - c.Mean) / c.Scale)
		}
		at += width
	}
	return any
}

// Decode turns an encoded row into a value for each column, as in Table.Values: the largest of a
// categorical column's numbers is its category, and 0.5 or more of a boolean's is true. Numbers are
// kept within the range of the column, and rounded to its decimals or to the resolution of its
// dates. Constants are 0, and columns of other kinds that are not modelled NaN.
func (s *Schema) Decode(row []float64, x []float32) {
	if len(row) != len(s.Columns) || len(x) != s.Width() {
		panic("columns: Decode needs a value for each column, and D numbers")
	}
	at := 0
	for i := range s.Columns {
		c := &s.Columns[i]
		width := c.Width()
		row[i] = c.decode(x[at : at+width])
		at += width
	}
}

func (c *Column) decode(x []float32) float64 {
	switch {
	case c.Kind == Constant:
		return 0
	case !c.Kind.Modelled():
		return missing
	case c.Kind == Categorical:
		best := 0
		for k, v := range x {
			if v > x[best] {
				best = k
			}
		}
		return float64(best)
	case c.Kind == Boolean:
		if x[0] >= 0.5 {
			return 1
		}
		return 0
	}
	return c.Clean(c.Invert(float64(x[0])))
}

// Invert returns the number whose encoding is y, in the units of the column, neither rounded nor
// kept within its range. It needs a column of numbers or dates.
func (c *Column) Invert(y float64) float64 { return c.inverse(float64(y*c.Scale) + c.Mean) }

// Clean rounds a number of the column to the decimals that the source has, or to the resolution of
// its dates, and keeps it within the range that the source has: a sample never has a negative count
// or a share above 1, and a column that was cut off at a value keeps its cut. The price: what the
// model draws beyond an end lies at the end, so that a column which is uniform up to its ends has
// too many rows there, most while a model is young and the scale of its noise large.
func (c *Column) Clean(v float64) float64 {
	if c.Min < c.Max {
		v = max(c.Min, min(c.Max, v))
	}
	switch {
	case math.IsNaN(v):
		return v
	case c.Kind == Integer:
		return math.Round(v)
	case c.Kind == Date:
		unit := resolution(c.Format)
		return math.Round(v/unit) * unit
	case c.MaxDecimals <= mostDecimals:
		return roundDecimals(v, c.MaxDecimals)
	}
	return roundDigits(v, noisyDigits)
}
