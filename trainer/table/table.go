// Package table writes rows of named columns to a file, a block of rows at a time: as NumPy arrays
// (.npy, .npz), CSV or Parquet. Create begins a file, Append adds rows, and Close makes the file
// appear, complete.
//
// The formats are what their usual readers expect:
//
//   - .npy holds one column as an array N x Dims, and .npz an array for each column, stored and not
//     compressed. Strings are arrays of fixed-width unicode.
//   - .csv is RFC 4180 with lines that end in LF, as pandas, R and DuckDB write it. A cell of many
//     numbers is as many columns: name_0, name_1, of a picture name_y_x or name_y_x_c. A float is
//     the shortest decimal that reads back to the same bits, with a point or an exponent, so that
//     no reader takes it for an integer; NaN, Inf and -Inf are what pandas, R, DuckDB and Arrow
//     read as such without being told (pandas and Arrow count NaN as missing).
//   - .parquet has a cell of many numbers as a LIST, flat in C order, which pandas reads as arrays
//     (numpy.stack(df.x).reshape(-1, 28, 28)) and DuckDB as FLOAT[]: Parquet itself has no lists of
//     fixed size. The shape of column x is in the file's metadata, as plume.shape.x = 28,28,1.
//
// Columns of the kinds from Text on hold cells that may be missing. Cells turns rows of a table
// that a schema describes into such columns.
package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/file"
)

const (
	panicBlock = "table: Append needs a slice of the column's kind, of whole cells, for each column"
	panicRows  = "table: Append needs as many rows of each column"
)

// Writer writes a table. Its memory is bounded by a few blocks, whatever the number of rows. Except
// Abandon, its methods must not be called concurrently.
type Writer struct {
	path    string
	columns []Column
	way     CSV
	to      sink
	pending *file.Pending // nil: stdout
	spool   *file.Pending // of formats that need one, beside the file
	rows    int
	err     error // of an earlier call
	closed  bool
}

// sink writes blocks of rows in a format.
type sink interface {
	append(blocks []any, rows int) error
	// finish writes what comes at the end of the table.
	finish(rows int) error
}

// Create begins the table at path, whose ending says the format: .npy (for one column), .npz, .csv
// or .parquet; "-" is CSV to stdout. An older file stays in place until Close.
func Create(path string, columns ...Column) (*Writer, error) {
	return create(file.OS, os.Stdout, path, CSV{}, columns)
}

// CSV is how a .csv file is written, and CSV to stdout.
type CSV struct {
	Delimiter string // between the cells; "": a comma
	NoHeader  bool   // no line with the names
}

// CreateCSV is Create with a .csv file, or stdout, that is written in its way.
func CreateCSV(path string, way CSV, columns ...Column) (*Writer, error) {
	return create(file.OS, os.Stdout, path, way, columns)
}

func create(
	sys file.System, stdout io.Writer, path string, way CSV, columns []Column,
) (*Writer, error) {
	if err := CheckPath(path, columns...); err != nil {
		return nil, err
	}
	w := &Writer{path: path, columns: columns, way: way}
	if err := w.begin(sys, stdout); err != nil {
		w.Abandon()
		return nil, w.named(err)
	}
	return w, nil
}

func (w *Writer) begin(sys file.System, stdout io.Writer) (err error) {
	if w.path == stdoutPath {
		w.to, err = newCSV(bufio.NewWriter(stdout), w.way, w.columns)
		return err
	}
	if w.pending, err = file.Begin(sys, w.path); err != nil {
		return err
	}
	switch filepath.Ext(w.path) {
	case ".csv":
		w.to, err = newCSV(bufio.NewWriter(w.pending), w.way, w.columns)
	case ".parquet":
		w.to = newParquet(w.pending, w.columns)
	default:
		if one := w.columns[0]; filepath.Ext(w.path) == ".npy" && one.block() != String {
			w.to, err = newArray(w.pending, one)
			return err
		}
		if w.spool, err = file.Begin(sys, w.path+".columns"); err != nil {
			return err
		}
		w.to = newArrays(w.pending, w.spool, w.columns, filepath.Ext(w.path) == ".npz")
	}
	return err
}

// named adds the name of the file to an error.
func (w *Writer) named(err error) error {
	name := w.path
	if name == stdoutPath {
		name = "to stdout"
	}
	return fmt.Errorf("table: writing %s: %w", name, err)
}

// Append writes rows: of each column a block, a []float32, []float64, []int64 or []string with as
// many cells as there are rows. The blocks may be reused afterwards. After an error the table can
// only be abandoned.
func (w *Writer) Append(blocks ...any) error {
	if w.closed {
		panic("table: Append after Close")
	}
	if len(blocks) != len(w.columns) {
		panic(panicBlock)
	}
	rows := w.columns[0].rows(blocks[0])
	for i, c := range w.columns {
		if c.rows(blocks[i]) != rows {
			panic(panicRows)
		}
	}
	if w.err != nil {
		return w.err
	}
	for i, c := range w.columns {
		if err := c.checkStrings(blocks[i], w.rows); err != nil {
			return w.fail(err)
		}
	}
	w.rows += rows
	if err := w.to.append(blocks, rows); err != nil {
		return w.fail(err)
	}
	return nil
}

// fail notes the first error.
func (w *Writer) fail(err error) error {
	w.err = w.named(err)
	return w.err
}

// Close completes the file: afterwards it has all rows, durably, or after an error of Close or of
// an earlier Append it is what it was before Create. What goes to stdout has been written by then,
// up to an error.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	defer w.Abandon()
	if w.err != nil {
		return w.err
	}
	err := w.to.finish(w.rows)
	if err == nil && w.pending != nil {
		err = w.pending.Commit()
	}
	if err != nil {
		return w.fail(err)
	}
	return nil
}

// Abandon removes what was written, unless Close has completed it: after an error, or when the
// process is about to exit. Another goroutine may be in Append or Close, which then fail.
func (w *Writer) Abandon() {
	var err error
	for _, p := range []*file.Pending{w.pending, w.spool} {
		if p != nil {
			err = errors.Join(err, p.Abandon())
		}
	}
	_ = err // temporary files that cannot be removed do no harm, and nobody is left to tell
}
