package table

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/npy"
)

// header returns the header of a column's array; width is that of the longest string.
func (c Column) header(rows, width int) []byte {
	dtype := ""
	switch c.block() {
	case Float32:
		dtype = npy.Float32
	case Float64:
		dtype = npy.Float64
	case Int64:
		dtype = npy.Int64
	default:
		dtype = npy.Text(width)
	}
	return npy.NewHeader(dtype, append([]int{rows}, c.Dims...)...)
}

// array writes a .npy file of numbers.
type array struct {
	to     *file.Pending
	column Column
	bytes  []byte
}

func newArray(to *file.Pending, column Column) (*array, error) {
	_, err := to.Write(column.header(0, 1)) // overwritten at the end
	return &array{to: to, column: column}, err
}

func (a *array) append(blocks []any, _ int) (err error) {
	if a.bytes, err = binary.Append(a.bytes[:0], binary.LittleEndian, blocks[0]); err != nil {
		return err
	}
	_, err = a.to.Write(a.bytes)
	return err
}

func (a *array) finish(rows int) error {
	_, err := a.to.WriteAt(a.column.header(rows, 1), 0)
	return err
}

// spoolBytes is the size of the rows that arrays collects before they go to the spool.
const spoolBytes = 4 << 20

// arrays writes the arrays of a .npz file, or the strings of a .npy file. The array of a column
// must be in one piece, so all columns go to a spool first, piece by piece.
type arrays struct {
	to      io.Writer
	zip     bool
	spool   *file.Pending
	columns []spooled
	held    int   // bytes of all columns that are not in the spool yet
	at      int64 // the length of the spool
}

// spooled is a column in the spool. An element is as in the array, but a string is its length as a
// varint and its bytes: the width of the array's strings is known only at the end.
type spooled struct {
	Column
	held   []byte
	pieces []piece
	width  int // characters of the longest string, at least 1
}

// piece is where a part of a column is in the spool.
type piece struct{ at, size int64 }

func newArrays(to io.Writer, spool *file.Pending, columns []Column, zip bool) *arrays {
	a := &arrays{to: to, zip: zip, spool: spool}
	for _, c := range columns {
		a.columns = append(a.columns, spooled{Column: c, width: 1})
	}
	return a
}

func (a *arrays) append(blocks []any, _ int) (err error) {
	for i := range a.columns {
		c := &a.columns[i]
		before := len(c.held)
		if c.block() == String {
			for _, s := range blocks[i].([]string) {
				c.width = max(c.width, utf8.RuneCountInString(s))
				c.held = append(binary.AppendUvarint(c.held, uint64(len(s))), s...)
			}
		} else if c.held, err = binary.Append(c.held, binary.LittleEndian, blocks[i]); err != nil {
			return err
		}
		a.held += len(c.held) - before
	}
	if a.held < spoolBytes {
		return nil
	}
	return a.flush()
}

// flush writes what is held to the spool.
func (a *arrays) flush() error {
	for i := range a.columns {
		c := &a.columns[i]
		if _, err := a.spool.Write(c.held); err != nil {
			return err
		}
		c.pieces = append(c.pieces, piece{a.at, int64(len(c.held))})
		a.at += int64(len(c.held))
		c.held = c.held[:0]
	}
	a.held = 0
	return nil
}

func (a *arrays) finish(rows int) error {
	if err := a.flush(); err != nil {
		return err
	}
	from, err := a.spool.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if !a.zip {
		return a.columns[0].copy(a.to, from, rows)
	}
	archive := zip.NewWriter(a.to)
	for _, c := range a.columns {
		w, err := archive.CreateHeader(&zip.FileHeader{
			Name:     c.Name + ".npy",
			Method:   zip.Store,
			Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), // as NumPy
		})
		if err != nil {
			return err
		}
		if err := c.copy(w, from, rows); err != nil {
			return err
		}
	}
	return archive.Close()
}

// copy writes the array of the column.
func (c spooled) copy(to io.Writer, from *os.File, rows int) error {
	if _, err := to.Write(c.header(rows, c.width)); err != nil {
		return err
	}
	var parts []io.Reader
	for _, p := range c.pieces {
		parts = append(parts, io.NewSectionReader(from, p.at, p.size))
	}
	all := io.MultiReader(parts...)
	if c.block() != String {
		_, err := io.CopyBuffer(to, all, make([]byte, spoolBytes/8))
		return err
	}
	return c.copyText(to, bufio.NewReader(all), rows*c.size())
}

// copyText writes n strings.
func (c spooled) copyText(to io.Writer, from *bufio.Reader, n int) error {
	var text, element []byte
	for range n {
		length, err := binary.ReadUvarint(from)
		if err != nil {
			return err
		}
		text = append(text[:0], make([]byte, length)...)
		if _, err := io.ReadFull(from, text); err != nil {
			return err
		}
		element = npy.AppendText(element[:0], string(text), c.width)
		if _, err := to.Write(element); err != nil {
			return err
		}
	}
	return nil
}
