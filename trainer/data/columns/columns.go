// Package columns describes tables: named columns of numbers, dates, truth values and categories,
// as CSV and Parquet files hold them, and the numbers that a model is given in their place.
//
// A Schema says what each column is. Infer finds it from the cells of a Source, as far as a schema
// file does not say; Read then reads the cells into a Table, whose Schema is complete: it has the
// means and scales of its columns, too, and its TOML is a schema file that gives other data the
// same encoding.
//
// A row is encoded as D float32 numbers, in the order of the columns:
//
//   - numeric, integer and date columns as one number, transformed and standardised;
//   - boolean columns as one number, 0 or 1;
//   - categorical columns of K categories as K numbers, one-hot.
//
// Missing cells are zeros and are marked as missing. Columns of the other kinds are not encoded.
package columns

import (
	"slices"
	"strconv"
	"strings"
)

// Kind is what a column holds.
type Kind string

// The kinds of columns. Those up to Date are modelled.
const (
	Numeric     Kind = "numeric"
	Integer     Kind = "integer"     // whole numbers
	Boolean     Kind = "boolean"     // 0 and 1, true and false, yes and no
	Categorical Kind = "categorical" // one of few words
	Date        Kind = "date"        // a day, or a time

	Constant Kind = "constant" // the same in all rows
	Empty    Kind = "empty"    // missing in all rows
	Text     Kind = "text"     // too many different words: names, codes
	Ignore   Kind = "ignore"   // left out of the model because a schema file says so
	Label    Kind = "label"    // the class of a row, which is a condition and not data
)

// kinds are all kinds.
var kinds = []Kind{
	Numeric, Integer, Boolean, Categorical, Date, Constant, Empty, Text, Ignore, Label,
}

// Modelled reports whether columns of the kind are part of an encoded row.
func (k Kind) Modelled() bool {
	switch k {
	case Numeric, Integer, Boolean, Categorical, Date:
		return true
	}
	return false
}

// isNumber reports whether columns of the kind are encoded as a standardised number.
func (k Kind) isNumber() bool { return k == Numeric || k == Integer || k == Date }

// hasCategories reports whether the cells of a column of the kind are among its Categories.
func (k Kind) hasCategories() bool { return k == Categorical || k == Label }

// isWritten reports whether the cells of columns of the kind are kept as they are written.
func (k Kind) isWritten() bool { return k == Text || k == Ignore }

// Transform is what is done to numbers before they are standardised.
type Transform string

// The transforms of numbers.
const (
	// Standard does nothing.
	Standard Transform = "standard"
	// Log is log(x - Min + Shift). Shift is Min, and this is log(x), if that is above 0. Otherwise
	// it is the distance from the smallest value to the next, at least a ten-thousandth of the
	// range: for counts from 0 this is log(1 + x).
	Log Transform = "log"
	// Rank maps quantiles of the known cells to those of the normal distribution, linearly between
	// them.
	Rank Transform = "rank"
)

var transforms = []Transform{Standard, Log, Rank}

// Column is one column of a table. Which fields count depends on Kind.
type Column struct {
	Name string `toml:"name"`
	Kind Kind   `toml:"kind,omitempty"`
	Unit string `toml:"unit,omitempty"` // as a schema file says; for display

	// Missing are texts that stand for a missing cell of this column, beside Schema.Missing, and
	// MissingText is the one to write.
	Missing     []string `toml:"missing,omitempty"`
	MissingText string   `toml:"missing_text,omitempty"`

	// Of numeric and integer columns. Every number in the source has at least MinDecimals and at
	// most MaxDecimals digits after the point, or the comma. Beyond mostDecimals numbers are not
	// rounded.
	DecimalComma bool `toml:"decimal_comma,omitempty"`
	MinDecimals  int  `toml:"min_decimals,omitzero"`
	MaxDecimals  int  `toml:"max_decimals,omitzero"`

	// Of numeric, integer and date columns. Dates are seconds since 1970 in UTC. The encoded number
	// is (t - Mean)/Scale for the transformed t; Scale = 0 means that they are not known yet.
	Transform Transform `toml:"transform,omitempty"`
	Mean      float64   `toml:"mean,omitzero"`
	Scale     float64   `toml:"scale,omitzero"`
	Min       float64   `toml:"min,omitzero"` // of the known cells
	Max       float64   `toml:"max,omitzero"`
	Shift     float64   `toml:"shift,omitzero"`      // of Log
	Quantiles []float64 `toml:"quantiles,omitempty"` // of Rank, ascending, and
	Scores    []float64 `toml:"scores,omitempty"`    // what they are mapped to

	Format     string   `toml:"format,omitempty"`     // of dates, as strftime has it: %Y-%m-%d
	False      string   `toml:"false,omitempty"`      // of booleans, as the source writes them
	True       string   `toml:"true,omitempty"`       // ditto
	Categories []string `toml:"categories,omitempty"` // sorted, numbers by value
	Value      string   `toml:"value,omitempty"`      // of constants, as the source writes it
}

// Width is how many numbers of an encoded row are the column's.
func (c *Column) Width() int {
	switch {
	case !c.Kind.Modelled():
		return 0
	case c.Kind == Categorical:
		return len(c.Categories)
	}
	return 1
}

// Schema describes a table: how it is written, and its columns.
type Schema struct {
	Header    bool   // the first line has the names; otherwise they are c1, c2, ...
	Delimiter string // of a CSV file: "," ";" "|" or a tab; "" of other files
	// Missing are the texts that stand for a missing cell of any column, beside the empty one.
	Missing []string
	Columns []Column
}

// Width is the number D of numbers in an encoded row.
func (s *Schema) Width() int {
	width := 0
	for i := range s.Columns {
		width += s.Columns[i].Width()
	}
	return width
}

// Column returns the index of the column of the given name; -1 if there is none.
func (s *Schema) Column(name string) int {
	return slices.IndexFunc(s.Columns, func(c Column) bool { return c.Name == name })
}

// Offsets returns the index of each column's first number in an encoded row; -1 of columns that are
// not modelled.
func (s *Schema) Offsets() []int {
	offsets, at := make([]int, len(s.Columns)), 0
	for i := range s.Columns {
		offsets[i] = -1
		if w := s.Columns[i].Width(); w > 0 {
			offsets[i] = at
			at += w
		}
	}
	return offsets
}

// EncodedNames names the numbers of an encoded row: by their column, and name=category for those of
// a categorical column.
func (s *Schema) EncodedNames() []string {
	var names []string
	for i := range s.Columns {
		switch c := &s.Columns[i]; {
		case c.Kind == Categorical:
			for _, category := range c.Categories {
				names = append(names, c.Name+"="+category)
			}
		case c.Width() > 0:
			names = append(names, c.Name)
		}
	}
	return names
}

// Likelihood names the distributions of the numbers of an encoded row, in their order. As in
// "normal:4,bernoulli,categorical:3", normal:4 is four columns of one number each and bernoulli:2
// would be two, but categorical:3 is one column of three categories.
func (s *Schema) Likelihood() string {
	var parts []string
	run, name := 0, ""
	flush := func() {
		switch {
		case run == 1:
			parts = append(parts, name)
		case run > 1:
			parts = append(parts, name+":"+strconv.Itoa(run))
		}
		run = 0
	}
	for i := range s.Columns {
		c := &s.Columns[i]
		next := ""
		switch {
		case c.Width() == 0:
			continue
		case c.Kind == Categorical:
			flush()
			parts = append(parts, "categorical:"+strconv.Itoa(len(c.Categories)))
			continue
		case c.Kind == Boolean:
			next = "bernoulli"
		default:
			next = "normal"
		}
		if next != name {
			flush()
		}
		name, run = next, run+1
	}
	flush()
	return strings.Join(parts, ",")
}
