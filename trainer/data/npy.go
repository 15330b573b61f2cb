package data

import (
	"encoding/binary"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The .npy format, versions 1 to 3 (NumPy manual, numpy.lib.format): the magic string, the
// version, the header's length as a little-endian uint16 (uint32 from version 2 on), a Python
// dictionary, then the elements.
//
// The reader is our own because github.com/sbinet/npyio v0.9.0 panics on some malformed
// headers and completes truncated arrays with made-up values.
const npyMagic = "\x93NUMPY"

// maxNPYHeader is far above any header of a plain array.
const maxNPYHeader = 1 << 16

// The keys of the dictionary may come in any order.
var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[.*\]))`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)\b`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9, ]*)\)`)
)

const npyAccepted = "uint8 (|u1) or little-endian float32 (<f4)"

// npyHeader reads the header and returns the element type, "u1" or "<f4", and the dimensions.
func npyHeader(s *source) (dtype string, dims []int, err error) {
	dict, err := npyDict(s)
	if err != nil {
		return "", nil, err
	}
	descr, fortran, shape := npyDescr.FindStringSubmatch(dict), npyFortran.FindStringSubmatch(dict), npyShape.FindStringSubmatch(dict)
	if descr == nil || fortran == nil || shape == nil {
		return "", nil, s.fail("has the header %q; expected a dictionary with descr, fortran_order and shape", dict)
	}
	if dtype = descr[1] + descr[2]; strings.TrimLeft(dtype, "|<>=") == "u1" {
		dtype = "u1" // bytes have no order
	} else if dtype != "<f4" {
		return "", nil, s.fail("is an array of dtype %s; expected %s", dtype, npyAccepted)
	}
	if fortran[1] == "True" {
		return "", nil, s.fail("is in Fortran order; expected C order (save numpy.ascontiguousarray(x))")
	}
	for _, field := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.Atoi(field)
		if err != nil {
			return "", nil, s.fail("has the shape (%s): %w", shape[1], err)
		}
		dims = append(dims, d)
	}
	return dtype, dims, nil
}

// npyDict reads everything before the elements and returns the dictionary.
func npyDict(s *source) (string, error) {
	var fixed [8]byte
	if err := s.header(fixed[:]); err != nil {
		return "", err
	}
	if string(fixed[:6]) != npyMagic {
		return "", s.fail("starts with %q; expected the magic string of a .npy array", fixed[:6])
	}
	major := fixed[6]
	if major < 1 || major > 3 {
		return "", s.fail("is a .npy array of format version %d; expected 1 to 3", major)
	}
	length := make([]byte, 4)
	if major == 1 {
		length = length[:2]
	}
	if err := s.header(length); err != nil {
		return "", err
	}
	n := binary.LittleEndian.Uint32(append(length, 0, 0)[:4])
	if n > maxNPYHeader {
		return "", s.fail("has a header of %d bytes; expected at most %d", n, maxNPYHeader)
	}
	dict := make([]byte, n)
	if err := s.header(dict); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(dict)), nil
}

// npyImages reads the header of an array M x D, M x H x W or M x H x W x C.
func npyImages(s *source) (header, error) {
	dtype, dims, err := npyHeader(s)
	if err != nil {
		return header{}, err
	}
	if _, err = elements(dims); err != nil {
		return header{}, s.fail("%w", err)
	}
	shape, err := imageShape(dims)
	if err != nil {
		return header{}, s.fail("%w", err)
	}
	h := header{m: dims[0], shape: shape, width: 4}
	if dtype == "u1" {
		h.width = 1
	}
	return h, nil
}

func findNPY(s *source, opt Options) (*Found, error) {
	h, err := npyImages(s)
	if err != nil {
		return nil, err
	}
	read := func(s *source) (*array, error) { return readNPY(s, opt) }
	return h.found(s, func() (*array, error) { return reopen(s.path, read) })
}

// readNPY reads a whole array. Bytes 0..255 stand for [-1, 1]; float32 values are taken as they
// are and must be finite.
func readNPY(s *source, opt Options) (*array, error) {
	h, err := npyImages(s)
	if err != nil {
		return nil, err
	}
	a := &array{name: baseName(s.path), shape: h.shape, m: h.m}
	if h.width == 1 {
		a.u8, err = s.bytes(h.numbers())
		return a, err
	}
	if a.f32, err = body(s, h.numbers(), s.fillFloats); err != nil {
		return nil, err
	}
	return a, checkFloats(s, a, opt)
}

// fillFloats reads len(dst) little-endian float32 values.
func (s *source) fillFloats(dst []float32) (int, error) {
	var buf [1 << 14]byte
	for done := 0; done < len(dst); {
		k := min(len(dst)-done, len(buf)/4)
		got, err := io.ReadFull(s.r, buf[:4*k])
		for i := range got / 4 {
			dst[done+i] = math.Float32frombits(binary.LittleEndian.Uint32(buf[4*i:]))
		}
		done += got / 4
		if err != nil {
			return done, err
		}
	}
	return len(dst), nil
}

// checkFloats refuses NaN and Inf and warns of pixels that are not in [-1, 1] or, by their
// range, seem to be in another usual one.
func checkFloats(s *source, a *array, opt Options) error {
	lo, hi := a.f32[0], a.f32[0]
	for i, v := range a.f32 {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return s.fail("holds %v at row %d, column %d (counted from 0); expected finite numbers", v, i/a.shape.Dim(), i%a.shape.Dim())
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if convert := conversion(lo, hi); convert != "" {
		opt.warn("data: %s: values x range from %g to %g; pixels are expected in [-1, 1]: convert them with %s", s.path, lo, hi, convert)
	} else if lo < -1 || hi > 1 {
		opt.warn("data: %s: values range from %g to %g; pixels are expected in [-1, 1]", s.path, lo, hi)
	}
	return nil
}

// conversion is the formula that takes values x between lo and hi to [-1, 1], if they look
// like pixels in [0, 1] or in [0, 255], of which at least one is bright; otherwise empty.
func conversion(lo, hi float32) string {
	switch {
	case lo >= 0 && hi <= 1:
		return "x*2-1"
	case lo >= 0 && hi > 127 && hi <= 255:
		return "x/127.5-1"
	}
	return ""
}
