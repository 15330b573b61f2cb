package figure

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Scale says what the numbers of a column are.
type Scale byte

// The scales.
const (
	Real    Scale = iota
	Integer       // whole numbers
	Dates         // seconds since 1970-01-01 UTC
)

// Column is a column of two tables: a value for each row, in the unit of the column.
type Column struct {
	Name       string
	Scale      Scale
	Categories []string     // the values are numbers of them, from 0; nil: they are of the Scale
	Values     [2][]float64 // in either table; NaN: missing
}

// Tables are two tables of the same columns, such as data and samples.
type Tables struct {
	Names   [2]string // of the tables
	Columns []Column
}

// TablesBytes is the memory that drawing a picture of this package takes, at most: 1,200 x 1,020
// pixels of 4 bytes, and fonts.
const TablesBytes = 12 << 20

// Marginals draws the distribution of each of the first 12 columns in both tables: of numbers as
// steps, of categories as bars. The picture is 1,200 pixels wide.
func (t Tables) Marginals() (image.Image, error) {
	var panels []*chart
	for _, c := range t.Columns {
		if len(panels) == mostPanels {
			break
		}
		if len(known(c.Values[0])) > 0 && len(known(c.Values[1])) > 0 {
			panels = append(panels, c.marginal())
		}
	}
	if len(panels) == 0 {
		return nil, ErrEmpty
	}
	return arrange(panels, t.Names[:]), nil
}

// known are the values that are not missing.
func known(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// shorten cuts a text to a number of letters.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}

// label is the name of the column, with the share of its cells that are missing in the first table.
func (c Column) label(most int) string {
	n := len(c.Values[0])
	share := 100 * float64(n-len(known(c.Values[0]))) / float64(n)
	switch {
	case share == 0:
		return shorten(c.Name, most)
	case share < 1:
		return shorten(c.Name, most-14) + " (< 1 % missing)"
	}
	return fmt.Sprintf("%s (%.0f %% missing)", shorten(c.Name, most-14), share)
}
