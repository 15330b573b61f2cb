package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

const panicSize = "npy: the numbers do not fill an array of these dimensions"

// Write writes x as an array of float32 with the given dimensions, in C order, with the bytes that
// numpy.save writes. The product of the dimensions must be len(x), and not 0. Errors are those of
// w.
func Write(w io.Writer, x []float32, dims ...int) error {
	size := 1
	for _, d := range dims {
		size *= d
	}
	if len(dims) == 0 || size != len(x) || size == 0 {
		panic(panicSize)
	}
	block := floatHeader(dims)
	for {
		if _, err := w.Write(block); err != nil || len(x) == 0 {
			return err
		}
		n := min(blockLen, len(x))
		block, _ = binary.Append(block[:0], binary.LittleEndian, x[:n]) // float32 has a fixed size
		x = x[n:]
	}
}

// WriteFile writes a file as Write does, atomically: at any time the file is either the old one or
// the complete new one. Its directory must exist.
func WriteFile(path string, x []float32, dims ...int) error {
	err := file.Write(file.OS, path, func(w io.Writer) error { return Write(w, x, dims...) })
	if err != nil {
		return fmt.Errorf("npy: writing %s: %w", path, err)
	}
	return nil
}

const (
	headerAlign  = 64 // NumPy aligns the elements to this number of bytes
	growthDigits = 21 // and reserves these digits for the first dimension, to append in place
)

// floatHeader returns everything before the elements of an array of float32 in C order.
func floatHeader(dims []int) []byte {
	shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(dims), "[]"), " ", ", ")
	if len(dims) == 1 {
		shape += "," // a tuple of one
	}
	dict := "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }"
	dict += strings.Repeat(" ", growthDigits-len(fmt.Sprint(dims[0])))
	before := len(Magic) + 2 + 2 + len(dict) + 1 // with the version, the length, and a newline
	dict += strings.Repeat(" ", headerAlign-before%headerAlign) + "\n"
	header := append([]byte(Magic), 1, 0)
	header = binary.LittleEndian.AppendUint16(header, uint16(len(dict)))
	return append(header, dict...)
}
