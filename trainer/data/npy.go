package data

import (
	"context"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// arrayHeader reads the header of a .npy array.
func (s *source) arrayHeader() (npyfile.Header, error) {
	return npyfile.ReadHeader(npyfile.Source{Fill: s.header, Fail: s.fail})
}

// npyHeader reads the header of an array M x D, M x H x W or M x H x W x C, or of signals.
func npyHeader(s *source, opt Options) (npyfile.Header, header, error) {
	n, err := s.arrayHeader()
	if err != nil {
		return n, header{}, err
	}
	h, err := npyImageHeader(n, opt.As)
	if err != nil {
		return n, header{}, s.fail("%w", err)
	}
	return n, h, nil
}

// npyImageHeader describes the images of an array, or returns why it cannot be images.
func npyImageHeader(n npyfile.Header, as Kind) (h header, err error) {
	if err := n.Dtype.Refusal(); err != nil {
		return header{}, err
	}
	if _, err := elements(n.Dims); err != nil {
		return header{}, err
	}
	h.stored, h.width = n.Dtype.Width, 4
	if isBytes(n.Dtype) {
		h.width = 1
	}
	h.shape, err = rowShape(n.Dims, as)
	if err == nil {
		h.m = n.Dims[0]
	}
	return h, err
}

// isBytes reports whether elements of the type are kept as bytes.
func isBytes(d npyfile.Dtype) bool {
	return d.Kind == npyfile.Bool || d.Kind == npyfile.Uint && d.Width == 1
}

// npyImages is an array of images.
type npyImages struct {
	location
	opt Options
}

func (f npyImages) readImages(ctx context.Context) (*array, error) {
	s, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return readNPY(s, f.opt)
}

// stay implements staying.
func (f npyImages) stay(s *source, to *rowFile) (*array, error) {
	n, h, err := npyHeader(s, f.opt)
	if err != nil {
		return nil, err
	}
	to.at, to.width, to.dtype = s.headerBytes, h.shape.Dim(), n.Dtype
	to.read = newNumbers(n.Dtype, f.opt).ends
	return &array{shape: h.shape, m: h.m, stored: stored{dtype: n.Dtype}}, nil
}

// findNPY describes the images of the array at l, which s has just opened.
func findNPY(s *source, l location, opt Options) (*Found, error) {
	n, h, err := npyHeader(s, opt)
	if err != nil {
		return nil, err
	}
	f, err := h.found(s, npyImages{l, opt})
	if err != nil {
		return nil, err
	}
	f.canStay = f.canStay && !n.Fortran && !opt.Missing
	if n.Fortran && f.Loading == 0 {
		f.Loading = fortranLoading(h.m, h.shape.Dim(), h.width)
	}
	f.Summary.Format = "of " + n.Dtype.String()
	if n.Fortran {
		f.Summary.Format += ", Fortran order"
	}
	switch opt.As {
	case Numbers:
		f.Kind = Numbers
	case Signals:
		if err := f.takeSignals(s.path, opt); err != nil {
			return nil, err
		}
	}
	if d := doubt(n.Dims, opt.As); d != "" {
		opt.warn("data: %s: %s", s.path, d)
	}
	return f, nil
}

// readNPY reads a whole array. Bytes stay bytes. Other numbers become float32, mapped to [-1, 1] by
// opt.Range if that is given.
func readNPY(s *source, opt Options) (*array, error) {
	n, h, err := npyHeader(s, opt)
	if err != nil {
		return nil, err
	}
	if err := h.shape.Validate(); err != nil {
		return nil, s.fail("one image has %w", err)
	}
	a := &array{shape: h.shape, m: h.m, stored: stored{dtype: n.Dtype}}
	if isBytes(n.Dtype) {
		a.u8, _, err = readOrder[uint8](s, n, s.fillBytes)
		if err == nil && n.Dtype.Kind == npyfile.Bool {
			err = makeTruth(s.ctx, a.u8)
		}
		return a, err
	}
	x := newNumbers(n.Dtype, opt)
	var place func(i int) (row, column int)
	a.f32, place, err = readOrder(s, n, x.fill(s))
	if err != nil {
		return nil, err
	}
	a.stored.values, a.stored.whole = [2]float64{x.lo, x.hi}, !x.fractions
	if opt.Missing {
		a.missing = takeMissing(a.f32)
	}
	return a, x.check(s, place)
}

// readOrder reads the elements into C order. place returns the row and column of element i of the
// file.
func readOrder[T any](
	s *source, n npyfile.Header, fill filler[T],
) (dst []T, place func(i int) (row, column int), err error) {
	if n.Fortran {
		f := newFortran(n.Dims)
		dst, err = fortranBody(s, f, n.Dtype.Width, fill)
		return dst, f.place, err
	}
	count, err := elements(n.Dims)
	if err != nil {
		return nil, nil, s.fail("%w", err)
	}
	dim := count / n.Dims[0]
	dst, err = body(s, count, n.Dtype.Width, fill)
	return dst, func(i int) (int, int) { return i / dim, i % dim }, err
}

// makeTruth replaces every byte other than 0 by 1, as NumPy does with booleans.
func makeTruth(ctx context.Context, b []uint8) error {
	return eachBlock(ctx, len(b), func(lo, hi int) {
		for i, v := range b[lo:hi] {
			b[lo+i] = min(v, 1)
		}
	})
}
