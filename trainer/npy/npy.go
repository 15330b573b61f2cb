// Package npy reads and writes NumPy's .npy files. ReadHeader reads what an array holds (Header),
// and ReadFloats and Dtype.Blocks its numbers. Write and WriteFile write arrays of float32;
// NewHeader begins arrays of other types, and those whose length is known only at the end.
package npy

import (
	"encoding/binary"
	"strings"
)

// A file of the .npy format, versions 1 to 3 (NumPy manual, numpy.lib.format), consists of the
// magic string, the version, the header's length as a little-endian uint16 (uint32 from version 2
// on), a Python dictionary, and the elements.

// Magic is the first bytes of every .npy file.
const Magic = "\x93NUMPY"

// maxHeader limits the length of a header, in bytes. Headers of plain arrays are far shorter.
const maxHeader = 1 << 16

// Header describes the array of a file.
type Header struct {
	Dtype   Dtype // of the elements
	Fortran bool  // the first index varies fastest, not the last
	Dims    []int // none is negative; empty: a scalar
}

// Source is a file from which ReadHeader reads.
type Source struct {
	Fill func(buf []byte) error                 // fills buf with the next bytes of the header
	Fail func(format string, args ...any) error // makes an error that names the file
}

// ReadHeader reads everything before the elements. If it is not a header of a .npy file, the error
// is made by Fail; errors of Fill are returned unchanged. The Dtype may be one that plume cannot
// read: see Dtype.Refusal.
func ReadHeader(s Source) (Header, error) {
	text, err := s.dict()
	if err != nil {
		return Header{}, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return Header{}, s.Fail(
			"has the header %s; expected a dictionary with descr, fortran_order and shape: %w",
			quote(text), err)
	}
	return h, nil
}

// dict reads everything before the elements and returns the dictionary.
func (s Source) dict() (string, error) {
	var fixed [8]byte
	if err := s.Fill(fixed[:]); err != nil {
		return "", err
	}
	if string(fixed[:6]) != Magic {
		return "", s.Fail("starts with %q; expected the magic string of a .npy array", fixed[:6])
	}
	major := fixed[6]
	if major < 1 || major > 3 {
		return "", s.Fail("is a .npy array of format version %d; expected 1 to 3", major)
	}
	length := make([]byte, 4)
	if major == 1 {
		length = length[:2]
	}
	if err := s.Fill(length); err != nil {
		return "", err
	}
	n := binary.LittleEndian.Uint32(append(length, 0, 0)[:4])
	if n > maxHeader {
		return "", s.Fail("has a header of %d bytes; expected at most %d", n, maxHeader)
	}
	dict := make([]byte, n)
	if err := s.Fill(dict); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(dict)), nil
}
