package data

import (
	"context"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// arrayHeader reads the header of a .npy array.
func (s *source) arrayHeader() (npyfile.Header, error) {
	return npyfile.ReadHeader(npyfile.Source{Fill: s.header, Fail: s.fail})
}

// npyHeader reads the header of an array M x D, M x H x W or M x H x W x C.
func npyHeader(s *source) (npyfile.Header, header, error) {
	n, err := s.arrayHeader()
	if err != nil {
		return n, header{}, err
	}
	h, err := npyImages(n)
	if err != nil {
		return n, header{}, s.fail("%w", err)
	}
	return n, h, nil
}

// npyImages is what the header says of the images, or why it has none.
func npyImages(n npyfile.Header) (h header, err error) {
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
	h.shape, err = imageShape(n.Dims)
	if err == nil {
		h.m = n.Dims[0]
	}
	return h, err
}

// isBytes reports whether numbers of the type are kept as bytes.
func isBytes(d npyfile.Dtype) bool {
	return d.Kind == npyfile.Bool || d.Kind == npyfile.Uint && d.Width == 1
}

// findNPY looks at the header of an array in s, which open opens again.
func findNPY(s *source, opt Options, open func(context.Context) (*source, error)) (*Found, error) {
	n, h, err := npyHeader(s)
	if err != nil {
		return nil, err
	}
	f, err := h.found(s, func(ctx context.Context) (*array, error) {
		s, err := open(ctx)
		if err != nil {
			return nil, err
		}
		defer s.close()
		return readNPY(s, opt)
	})
	if err != nil {
		return nil, err
	}
	if n.Fortran && f.Loading == 0 {
		f.Loading = fortranLoading(h.m, h.shape.Dim(), h.width)
	}
	f.Summary.Format = "of " + n.Dtype.String()
	if n.Fortran {
		f.Summary.Format += ", Fortran order"
	}
	if d := doubt(n.Dims); d != "" {
		opt.warn("data: %s: %s", s.path, d)
	}
	return f, nil
}

// readNPY reads a whole array. Bytes stay bytes; other numbers become float32, which opt.Range,
// if it is given, takes to [-1, 1].
func readNPY(s *source, opt Options) (*array, error) {
	n, h, err := npyHeader(s)
	if err != nil {
		return nil, err
	}
	if err := h.shape.Validate(); err != nil {
		return nil, s.fail("one image has %w", err)
	}
	a := &array{name: baseName(s.path), shape: h.shape, m: h.m, stored: stored{dtype: n.Dtype}}
	if isBytes(n.Dtype) {
		a.u8, _, err = readOrder[uint8](s, n, s.fillBytes)
		if err == nil && n.Dtype.Kind == npyfile.Bool {
			err = makeTruth(s.ctx, a.u8)
		}
		return a, err
	}
	x := newNumbers(n.Dtype, opt.Range)
	var place func(i int) (row, column int)
	a.f32, place, err = readOrder(s, n, x.fill(s))
	if err != nil {
		return nil, err
	}
	a.stored.values, a.stored.whole = [2]float64{x.lo, x.hi}, !x.fractions
	return a, x.check(s, place)
}

// readOrder reads the elements in the order that the header tells. What it returns also tells
// the row and column of element i of the file.
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

// makeTruth makes every byte that is not 0 a 1, as NumPy takes them.
func makeTruth(ctx context.Context, b []uint8) error {
	return eachBlock(ctx, len(b), func(lo, hi int) {
		for i, v := range b[lo:hi] {
			b[lo+i] = min(v, 1)
		}
	})
}
