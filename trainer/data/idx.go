package data

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// An IDX file (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits") has two
// zero bytes, the element type, the number of dimensions, each dimension as a big-endian uint32,
// and the elements in C order.

// idxTypes are the element types by code. Images must have uint8, labels may have any integers.
var idxTypes = map[byte]npyfile.Dtype{
	0x08: {Kind: npyfile.Uint, Width: 1, Big: true, Descr: "u1"},
	0x09: {Kind: npyfile.Int, Width: 1, Big: true, Descr: "i1"},
	0x0B: {Kind: npyfile.Int, Width: 2, Big: true, Descr: ">i2"},
	0x0C: {Kind: npyfile.Int, Width: 4, Big: true, Descr: ">i4"},
	0x0D: {Kind: npyfile.Float, Width: 4, Big: true, Descr: ">f4"},
	0x0E: {Kind: npyfile.Float, Width: 8, Big: true, Descr: ">f8"},
}

func isIDXMagic(head []byte) bool {
	if len(head) < 4 || head[0] != 0 || head[1] != 0 {
		return false
	}
	_, known := idxTypes[head[2]]
	return known && 1 <= head[3] && head[3] <= 8
}

// idxHeader reads a header and returns the element type, the dimensions and their product.
func idxHeader(s *source) (dtype npyfile.Dtype, dims []int, n int, err error) {
	var magic [4]byte
	if err := s.header(magic[:]); err != nil {
		return dtype, nil, 0, err
	}
	if !isIDXMagic(magic[:]) {
		return dtype, nil, 0, s.fail("starts with % x; expected the magic number of an IDX "+
			"file, 00 00 08 and the number of dimensions", magic)
	}
	dtype = idxTypes[magic[2]]
	raw := make([]byte, 4*int(magic[3]))
	if err := s.header(raw); err != nil {
		return dtype, nil, 0, err
	}
	little := make([]int, 0, magic[3])
	for ; len(raw) > 0; raw = raw[4:] {
		dims = append(dims, int(binary.BigEndian.Uint32(raw)))
		little = append(little, int(binary.LittleEndian.Uint32(raw)))
	}
	if s.isLittle(dtype, dims, little) {
		return dtype, nil, 0, s.fail("has its dimensions (%s) in little-endian order; an IDX "+
			"file has them big-endian", joinDims(little))
	}
	n, err = elements(dims)
	if err != nil {
		return dtype, nil, 0, s.fail("%w", err)
	}
	return dtype, dims, n, nil
}

// isLittle reports whether the dimensions were written in little-endian order by mistake: the size
// of the file then confirms little.
func (s *source) isLittle(dtype npyfile.Dtype, dims, little []int) bool {
	n, err := elements(little)
	return err == nil && len(dims) > 1 && !slices.Equal(dims, little) &&
		s.confirms(memory.Array[uint8](n, dtype.Width))
}

// idxImageHeader reads the header of images M x H x W or M x H x W x C.
func idxImageHeader(s *source) (header, error) {
	dtype, dims, _, err := idxHeader(s)
	if err != nil {
		return header{}, err
	}
	if dtype != idxTypes[0x08] && len(dims) != 1 {
		return header{}, s.fail("is an IDX file of %s; expected uint8: save "+
			"numpy.frombuffer(open(f, 'rb').read(), '%s', offset=%d).reshape(%s) as .npy",
			dtype.Name(), dtype.Descr, 4+4*len(dims), strings.ReplaceAll(joinDims(dims), " x", ","))
	}
	switch len(dims) {
	case 1:
		return header{}, s.fail("is an IDX file of labels (1 dimension); expected images, M x H " +
			"x W or M x H x W x C")
	case 3, 4:
	default:
		return header{}, s.fail("is an IDX file of %d dimensions (%s); expected images, M x H x "+
			"W or M x H x W x C", len(dims), joinDims(dims))
	}
	shape, err := imageShape(dims)
	if err != nil {
		return header{}, s.fail("%w", err)
	}
	return header{m: dims[0], shape: shape, width: 1, stored: 1}, nil
}

// idxImages is an IDX file of images.
type idxImages struct{ location }

func (f idxImages) readImages(ctx context.Context) (*array, error) {
	s, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return readIDXImages(s)
}

// stay implements staying.
func (f idxImages) stay(s *source, to *rowFile) (*array, error) {
	h, err := idxImageHeader(s)
	if err != nil {
		return nil, err
	}
	to.at, to.width, to.dtype = s.headerBytes, h.shape.Dim(), idxTypes[0x08]
	return &array{shape: h.shape, m: h.m}, nil
}

// readIDXImages reads a whole file of images.
func readIDXImages(s *source) (*array, error) {
	h, err := idxImageHeader(s)
	if err != nil {
		return nil, err
	}
	pixels, err := s.bytes(h.numbers())
	if err != nil {
		return nil, err
	}
	return &array{shape: h.shape, m: h.m, u8: pixels}, nil
}

// idxLabels is an IDX file of labels.
type idxLabels struct{ location }

func (f idxLabels) readLabels(ctx context.Context, a *array) error {
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	a.labels, err = readIDXLabels(s)
	return err
}

// readIDXLabels reads a whole file of labels.
func readIDXLabels(s *source) ([]int32, error) {
	dtype, dims, n, err := idxHeader(s)
	if err != nil {
		return nil, err
	}
	if len(dims) != 1 {
		return nil, s.fail("has %d dimensions (%s); expected labels, 1 dimension", len(dims),
			joinDims(dims))
	}
	if dtype.Kind == npyfile.Float {
		return nil, s.fail("is an IDX file of %s; expected labels, integers", dtype.Name())
	}
	return readLabels(s, n, dtype)
}

// findIDX describes the images of the file at l, which s has just opened.
func findIDX(s *source, l location) (*Found, error) {
	h, err := idxImageHeader(s)
	if err != nil {
		return nil, err
	}
	return h.found(s, idxImages{l})
}
