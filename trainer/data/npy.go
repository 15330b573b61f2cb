package data

import (
	"context"
	"math"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// npyImages reads the header of an array M x D, M x H x W or M x H x W x C.
func npyImages(s *source) (header, error) {
	dtype, dims, err := npyfile.ReadHeader(npyfile.Source{Fill: s.header, Fail: s.fail}, npyfile.U8, npyfile.F32)
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
	if dtype == npyfile.U8 {
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
	return h.found(s, func(ctx context.Context) (*array, error) { return reopen(ctx, s.path, read) })
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
	return npyfile.ReadFloats(s.r, npyfile.F32, dst)
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
