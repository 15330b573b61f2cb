package data

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/kernel"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// rowFile is the rows of an array that stay in their file, from which they are read whenever they
// are needed: the operating system keeps in memory what it has room for. It is safe for concurrent
// use.
type rowFile struct {
	path  string
	from  io.ReaderAt
	stat  func() (fs.FileInfo, error)
	close func() error
	size  int64     // of the file when it was opened
	time  time.Time // of its last change then

	at    int64         // where the first number is
	width int           // numbers of a row, of which an array may have only the first
	dtype npyfile.Dtype // of the numbers
	read  *[2]float64   // as numbers.ends
	after *[2]float64   // numbers, as they were read, that become -1 and 1; nil: no mapping

	failed  atomic.Pointer[error] // the first
	scratch sync.Pool             // of *scratch
}

// pieceLen is the most numbers that are read at a time.
const pieceLen = 1 << 14

// scratch is what converting a piece takes.
type scratch struct {
	raw    []byte
	values []float64
}

// openRows opens a file whose rows are to stay there.
func openRows(path string) (*rowFile, *os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	return &rowFile{
		path: path, from: f, stat: f.Stat, close: f.Close, size: info.Size(), time: info.ModTime(),
	}, f, nil
}

// isBytes reports whether the numbers would be kept as bytes in memory.
func (f *rowFile) isBytes() bool { return isBytes(f.dtype) }

// get returns memory for a piece, which put takes back.
func (f *rowFile) get() *scratch {
	if s, ok := f.scratch.Get().(*scratch); ok {
		return s
	}
	s := &scratch{raw: make([]byte, pieceLen*f.dtype.Width)}
	if !f.isBytes() {
		s.values = make([]float64, pieceLen)
	}
	return s
}

func (f *rowFile) put(s *scratch) { f.scratch.Put(s) }

// fail keeps an error, unless there is one already.
func (f *rowFile) fail(err error) error {
	f.failed.CompareAndSwap(nil, &err)
	return err
}

// err returns the first error of reading, or one if the file is no longer what it was when it was
// opened. A change that leaves its size and its time as they were goes unnoticed.
func (f *rowFile) err() error {
	if err := f.failed.Load(); err != nil {
		return *err
	}
	info, err := f.stat()
	switch {
	case err != nil:
		return f.fail(fmt.Errorf("data: %w", err))
	case info.Size() != f.size:
		return f.fail(fmt.Errorf("data: %s: changed while it was read, from %s to %s bytes; its "+
			"rows stay in the file, which must be left as it is meanwhile", f.path,
			humanize.Comma(f.size), humanize.Comma(info.Size())))
	case !info.ModTime().Equal(f.time):
		return f.fail(fmt.Errorf("data: %s: changed while it was read (it was written at %s); its "+
			"rows stay in the file, which must be left as it is meanwhile", f.path,
			info.ModTime().Format(time.DateTime)))
	}
	return nil
}

// piece reads n numbers of a row from a column on. They are valid until the next call with s.
func (f *rowFile) piece(s *scratch, row, column, n int) ([]byte, error) {
	raw := s.raw[:n*f.dtype.Width]
	return raw, f.fill(raw, row, column)
}

// rows reads whole rows of d numbers, which follow each other and fit a piece.
func (f *rowFile) rows(s *scratch, row, n, d int) ([]byte, error) {
	if d == f.width {
		return f.piece(s, row, 0, n*d)
	}
	raw := s.raw[:n*d*f.dtype.Width]
	for i := range n {
		if err := f.fill(raw[i*d*f.dtype.Width:(i+1)*d*f.dtype.Width], row+i, 0); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// fill reads numbers of a row from a column on, or of the rows that follow it.
func (f *rowFile) fill(raw []byte, row, column int) error {
	at := f.at + (int64(row)*int64(f.width)+int64(column))*int64(f.dtype.Width)
	if _, err := f.from.ReadAt(raw, at); err != nil {
		changed := f.err() // which explains more than the end of the file
		return f.fail(cmp.Or(changed, fmt.Errorf("data: %s: reading row %d: %w", f.path, row,
			err)))
	}
	if f.dtype.Kind == npyfile.Bool {
		for i, b := range raw {
			raw[i] = min(b, 1)
		}
	}
	return nil
}

// gather is array.Gather. Rows that cannot be read become NaN, and err says why.
func (f *rowFile) gather(dst []float32, idx []int, a *array) {
	s := f.get()
	defer f.put(s)
	d := a.shape.Dim()
	for i := 0; i < len(idx); {
		rows := f.run(idx[i:], d)
		f.numbers(s, dst[i*d:(i+rows)*d], idx[i], a.table)
		i += rows
	}
}

// run is how many of the first rows follow each other in the file without a gap.
func (f *rowFile) run(idx []int, d int) int {
	n := 1
	for d == f.width && n < len(idx) && idx[n] == idx[0]+n {
		n++
	}
	return n
}

// numbers reads numbers from the first of a row on.
func (f *rowFile) numbers(s *scratch, dst []float32, row int, table *[256]float32) {
	for column := 0; column < len(dst); column += pieceLen {
		to := dst[column:min(len(dst), column+pieceLen)]
		raw, err := f.piece(s, row, column, len(to))
		if err != nil {
			for i := range to {
				to[i] = float32(math.NaN())
			}
			continue
		}
		f.convert(s, to, raw, table)
	}
}

// convert makes pixels of numbers as array has them: the same operations, so that the bits are the
// same. table is that of the array.
func (f *rowFile) convert(s *scratch, dst []float32, raw []byte, table *[256]float32) {
	switch {
	case f.isBytes() && table == nil:
		kernel.U8ToF32(dst, raw)
	case f.isBytes():
		for i, b := range raw {
			dst[i] = table[b]
		}
	case f.asTheyAre():
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	default:
		values := s.values[:len(dst)]
		f.dtype.Decode(values, raw)
		for i, v := range values {
			if f.read != nil {
				v = linear(v, *f.read)
			}
			dst[i] = float32(v)
			if f.after != nil {
				dst[i] = float32(linear(float64(dst[i]), *f.after))
			}
		}
	}
}

// asTheyAre reports whether the numbers are the pixels.
func (f *rowFile) asTheyAre() bool {
	d := f.dtype
	return d.Kind == npyfile.Float && d.Width == 4 && !d.Big && f.read == nil && f.after == nil
}

// fileOf returns the file in which the rows are that rows is or shows; nil: there is none.
func fileOf(rows Rows) *rowFile {
	switch rows := rows.(type) {
	case *array:
		return rows.file
	case *subset:
		return fileOf(rows.Dataset)
	case *flipped:
		return fileOf(rows.Dataset)
	case *holed:
		return cmp.Or(fileOf(rows.Rows), fileOf(rows.like))
	}
	return nil
}

// Err returns why rows could not be read from the file in which they stay (Found.Stay), or that the
// file has changed since it was opened, so that rows may be others than they were. It is to be
// looked at after what Gather has returned was used, and before the result is. It is nil for rows
// in memory.
func Err(rows Rows) error {
	if f := fileOf(rows); f != nil {
		return f.err()
	}
	return nil
}

// Close closes the file in which rows stay. Those in memory need none.
func Close(rows Rows) error {
	if f := fileOf(rows); f != nil {
		return f.close()
	}
	return nil
}
