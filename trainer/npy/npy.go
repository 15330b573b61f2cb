// Package npy reads the headers and numbers of NumPy's .npy files, and writes such files.
//
// The reader is our own because github.com/sbinet/npyio v0.9.0 panics on some malformed
// headers and completes truncated arrays with made-up values.
package npy

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The .npy format, versions 1 to 3 (NumPy manual, numpy.lib.format): the magic string, the
// version, the header's length as a little-endian uint16 (uint32 from version 2 on), a Python
// dictionary, then the elements.

// Magic is what every .npy file starts with.
const Magic = "\x93NUMPY"

// maxHeader is far above any header of a plain array.
const maxHeader = 1 << 16

// Dtype is the type of an array's elements as the header names it.
type Dtype string

// The types that plume reads.
const (
	U8  Dtype = "u1"
	F32 Dtype = "<f4"
	F64 Dtype = "<f8"
)

// String names the type for people.
func (d Dtype) String() string {
	switch d {
	case U8:
		return "uint8 (|u1)"
	case F32:
		return "little-endian float32 (<f4)"
	case F64:
		return "little-endian float64 (<f8)"
	}
	return string(d)
}

// The keys of the dictionary may come in any order.
var (
	descrKey   = regexp.MustCompile(`['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[.*\]))`)
	fortranKey = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)\b`)
	shapeKey   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9, ]*)\)`)
)

// Source is a file of which ReadHeader reads the header.
type Source struct {
	Fill func(buf []byte) error                 // fills buf with the next bytes of the header
	Fail func(format string, args ...any) error // makes an error that names the file
}

// ReadHeader reads everything before the elements and returns their type and the array's
// dimensions, in C order. Types other than the accepted ones, Fortran order and what is no .npy file are errors of
// Fail; errors of Fill are returned as they are.
func ReadHeader(s Source, accepted ...Dtype) (d Dtype, dims []int, err error) {
	dict, err := s.dict()
	if err != nil {
		return "", nil, err
	}
	descr, fortran, shape := descrKey.FindStringSubmatch(dict), fortranKey.FindStringSubmatch(dict), shapeKey.FindStringSubmatch(dict)
	if descr == nil || fortran == nil || shape == nil {
		return "", nil, s.Fail("has the header %q; expected a dictionary with descr, fortran_order and shape", dict)
	}
	name := descr[1] + descr[2]
	if d = Dtype(name); strings.TrimLeft(name, "|<>=") == string(U8) {
		d = U8 // bytes have no order
	}
	if !slices.Contains(accepted, d) {
		return "", nil, s.Fail("is an array of dtype %s; expected %s", name, either(accepted))
	}
	if fortran[1] == "True" {
		return "", nil, s.Fail("is in Fortran order; expected C order (save numpy.ascontiguousarray(x))")
	}
	for _, field := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return "", nil, s.Fail("has the shape (%s): %w", shape[1], err)
		}
		dims = append(dims, n)
	}
	return d, dims, nil
}

func either(types []Dtype) string {
	names := make([]string, len(types))
	for i, d := range types {
		names[i] = d.String()
	}
	return strings.Join(names, " or ")
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
