package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

const panicSize = "npy: the numbers do not fill an array of these dimensions"

// The types of elements that are written, as headers name them; Text is one more.
const (
	Float32 = "<f4"
	Float64 = "<f8"
	Int64   = "<i8"
)

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
	block := NewHeader(Float32, dims...)
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

// NewHeader returns everything before the elements of an array in C order, with the bytes that
// numpy.save writes. dtype is Float32, Float64, Int64 or a Text; after the header the elements
// follow in little-endian order. The length of the header does not depend on the first dimension:
// who learns it only at the end writes the header of any, and at last overwrites it.
func NewHeader(dtype string, dims ...int) []byte {
	if len(dims) == 0 || slices.Min(dims) < 0 {
		panic("npy: NewHeader needs dimensions that are not negative")
	}
	shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(dims), "[]"), " ", ", ")
	if len(dims) == 1 {
		shape += "," // a tuple of one
	}
	dict := "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + shape + "), }"
	dict += strings.Repeat(" ", growthDigits-len(fmt.Sprint(dims[0])))
	before := len(Magic) + 2 + 2 + len(dict) + 1 // with the version, the length, and a newline
	dict += strings.Repeat(" ", headerAlign-before%headerAlign) + "\n"
	header := append([]byte(Magic), 1, 0)
	header = binary.LittleEndian.AppendUint16(header, uint16(len(dict)))
	return append(header, dict...)
}

// Text is the type of strings of up to width characters, 1 or more.
func Text(width int) string {
	if width < 1 {
		panic("npy: Text needs a width of 1 or more")
	}
	return fmt.Sprintf("<U%d", width)
}

// AppendText appends a string as an element of Text(width): four bytes a character, and zeros at
// its end, which NumPy drops when it reads the string. It panics if the string is longer.
func AppendText(dst []byte, s string, width int) []byte {
	for _, r := range s {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(r))
		width--
	}
	if width < 0 {
		panic("npy: AppendText needs a string of at most the width")
	}
	return append(dst, make([]byte, 4*width)...)
}
