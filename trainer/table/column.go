package table

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a column's numbers, or that of strings.
type Kind byte

// The kinds of columns; a block of one is a []float32, []float64, []int64 or []string.
const (
	Float32 Kind = iota
	Float64
	Int64
	String

	// Cells may be missing in the columns of the kinds below: such cells are empty in CSV and null
	// in Parquet. A block is a []string, where "" is missing, for Text, and a []float64, where NaN
	// is missing, for the others; in .npy and .npz they are arrays of these.

	Text
	Number
	Whole // integers
	Truth // 0 and 1
	Day   // seconds since 1970 in UTC, a whole number of days
	Time  // the same with the time of day, to the microsecond
)

// Column is a named column. Dims is the shape of a cell: empty for a number or a string, {32} for a
// latent, {28, 28, 1} for a picture. A block has the cells one after the other, in C order.
type Column struct {
	Name string
	Kind Kind
	Dims []int
}

// size is the number of elements in a cell.
func (c Column) size() int {
	size := 1
	for _, d := range c.Dims {
		size *= d
	}
	return size
}

// bytes is the size of a cell in memory; strings are taken to be short.
func (c Column) bytes() int { return c.size() * [...]int{4, 8, 8, 32, 32, 8, 8, 8, 8, 8}[c.Kind] }

// names returns the names of the cell's elements as columns of their own: name_0, name_1, of a
// picture name_y_x or name_y_x_c. Dimensions of 1 have no index.
func (c Column) names() []string {
	names := []string{c.Name}
	for _, d := range c.Dims {
		if d == 1 {
			continue
		}
		var longer []string
		for _, name := range names {
			for i := range d {
				longer = append(longer, name+"_"+strconv.Itoa(i))
			}
		}
		names = longer
	}
	return names
}

// check panics if the column cannot be, and returns an error if its name cannot.
func (c Column) check() error {
	missing := c.Kind >= Text && len(c.Dims) > 0
	if c.Kind > Time || missing || len(c.Dims) > 0 && slices.Min(c.Dims) < 1 {
		panic("table: a Column needs a Kind and Dims of 1 or more, or none where cells are missing")
	}
	if c.Name == "" {
		return errors.New("a column has no name")
	}
	return checkText("the name of a column", c.Name)
}

// checkText refuses strings that some format or reader would change.
func checkText(what, s string) error {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return fmt.Errorf("%s is %q; expected UTF-8 without zero bytes", what, s)
	}
	return nil
}

// block is the first kind whose blocks have the type of the column's.
func (c Column) block() Kind {
	switch {
	case c.Kind == Text:
		return String
	case c.Kind > Text:
		return Float64
	}
	return c.Kind
}

// rows returns the number of rows of a block of the column. It panics if the block has another
// type, or no whole number of cells.
func (c Column) rows(block any) int {
	var n int
	var kind Kind
	switch x := block.(type) {
	case []float32:
		n, kind = len(x), Float32
	case []float64:
		n, kind = len(x), Float64
	case []int64:
		n, kind = len(x), Int64
	case []string:
		n, kind = len(x), String
	default:
		panic(panicBlock)
	}
	if kind != c.block() || n%c.size() != 0 {
		panic(panicBlock)
	}
	return n / c.size()
}

// checkStrings refuses strings that cannot be written; first is the number of the first row.
func (c Column) checkStrings(block any, first int) error {
	if c.block() != String {
		return nil
	}
	for i, s := range block.([]string) {
		what := fmt.Sprintf("row %d of column %q", first+i/c.size(), c.Name)
		if err := checkText(what, s); err != nil {
			return err
		}
	}
	return nil
}
