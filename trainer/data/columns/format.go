package columns

import (
	"math"
	"strconv"
	"strings"
)

const (
	// mostDecimals is the number of decimals to which decoded numbers are rounded at most: more of
	// them are usually the digits of a computation.
	mostDecimals = 6
	// noisyDigits are the significant digits of a number that is not rounded to decimals: a
	// float32 has no more.
	noisyDigits = 7
)

// Format writes a value of column c, as in Table.Values: numbers in full, with MinDecimals or more
// decimals; dates, booleans and categories as the source writes them; NaN as MissingText.
func (s *Schema) Format(c int, v float64) string { return s.Columns[c].FormatValue(v) }

// FormatValue is Format for this column.
func (c *Column) FormatValue(v float64) string {
	switch {
	case math.IsNaN(v) || c.Kind == Empty || c.Kind.isWritten():
		return c.MissingText
	case c.Kind == Constant:
		return c.Value
	case c.Kind.hasCategories():
		return c.Categories[int(v)]
	case c.Kind == Boolean && v != 0:
		return c.True
	case c.Kind == Boolean:
		return c.False
	case c.Kind == Date:
		return formatDate(v, c.Format)
	}
	return c.formatNumber(v)
}

func (c *Column) formatNumber(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	// As Python and R do, with an exponent where that is shorter.
	if a := math.Abs(v); a >= 1e16 || a != 0 && a < 1e-4 && c.MaxDecimals > mostDecimals {
		return c.withComma(strconv.FormatFloat(v, 'g', -1, 64))
	}
	point := strings.IndexByte(text, '.')
	decimals := 0
	if point >= 0 {
		decimals = len(text) - point - 1
	}
	if decimals < c.MinDecimals {
		text = strconv.FormatFloat(v, 'f', c.MinDecimals, 64)
	}
	return c.withComma(text)
}

func (c *Column) withComma(text string) string {
	if c.DecimalComma {
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

// roundDecimals rounds to the number with the given decimals that is nearest to v.
func roundDecimals(v float64, decimals int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', decimals, 64), 64)
	if err != nil {
		return v
	}
	return r + 0 // not -0
}

// roundDigits rounds to the number with the given significant digits that is nearest to v.
func roundDigits(v float64, digits int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	if err != nil {
		return v
	}
	return r + 0
}
