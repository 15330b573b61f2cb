package columns

import "fmt"

// Source is a table that is read row by row, from a file.
type Source interface {
	// Columns returns the columns, with what the source says of them: their names and, if it has
	// types, the kinds Date, with a Format, and Text, of words that may look like numbers. The
	// cells tell what columns without a kind are, and what kind those of words have.
	Columns() []Column
	// Next returns the cells of the next row, one for each column, as text: "" is a missing cell,
	// numbers have a point, true and false are booleans, and dates have the column's Format, with
	// fractions after seconds if they have any. They are valid until the next call. The error is
	// io.EOF at the end.
	Next() ([]string, error)
	// Place is where the last row is, for messages: "line 12".
	Place() string
	// Delimiter is that of a CSV file, "" of other files, and Header whether it had names.
	Delimiter() string
	Header() bool
	Close() error
}

// Fault is what is wrong with a cell, or with a row or column.
type fault struct {
	place  string // "line 12"
	column string // "" for a row
	text   string
}

func (f fault) Error() string {
	switch {
	case f.column == "":
		return f.place + " " + f.text
	case f.place == "":
		return fmt.Sprintf("column %q %s", f.column, f.text)
	}
	return fmt.Sprintf("%s, column %q: %s", f.place, f.column, f.text)
}
