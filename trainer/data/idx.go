package data

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// The IDX format (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
// digits"): two zero bytes, the element type, the number of dimensions, each dimension as a
// big-endian uint32, then the elements in C order.

// idxTypes are the element types; images are of uint8, labels of any integers.
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

// idxHeader reads the header and returns the type, the dimensions and their product.
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

// isLittle reports whether the size of the file confirms the dimensions only in the order that no
// IDX file has.
func (s *source) isLittle(dtype npyfile.Dtype, dims, little []int) bool {
	n, err := elements(little)
	return err == nil && len(dims) > 1 && !slices.Equal(dims, little) &&
		s.confirms(memory.Array[uint8](n, dtype.Width))
}

// idxImages reads the header of images M x H x W or M x H x W x C.
func idxImages(s *source) (header, error) {
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

// readIDXImages reads a whole file of images.
func readIDXImages(s *source) (*array, error) {
	h, err := idxImages(s)
	if err != nil {
		return nil, err
	}
	pixels, err := s.bytes(h.numbers())
	if err != nil {
		return nil, err
	}
	return &array{name: baseName(s.path), shape: h.shape, m: h.m, u8: pixels}, nil
}

// readIDXLabels reads a vector of labels.
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

// idxFile is an IDX file of which only the header has been read.
type idxFile struct {
	path string
	m    int // images or labels
}

// chooseIDX takes the file with the most images, the first by name among equals, and the
// labels of the same number; among several, those whose name starts most like the images'.
func chooseIDX(images, labels []idxFile) (image idxFile, label *idxFile) {
	for _, f := range images {
		if f.m > image.m {
			image = f
		}
	}
	best := -1
	for i, f := range labels {
		if p := commonPrefix(f.path, image.path); f.m == image.m && p > best {
			label, best = &labels[i], p
		}
	}
	return image, label
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && strings.HasPrefix(b, a[:n+1]) {
		n++
	}
	return n
}

// findIDX looks at the header of images in s, which may have labels.
func findIDX(s *source, image idxFile, label *idxFile) (*Found, error) {
	h, err := idxImages(s)
	if err != nil {
		return nil, err
	}
	f, err := h.found(s, func(ctx context.Context) (*array, error) {
		return openIDX(ctx, image, label)
	})
	if err == nil && label != nil {
		f.Bytes, f.labelled = f.Bytes+memory.Array[int32](label.m), true
	}
	return f, err
}

// openIDX reads the images and, where there are any, their labels.
func openIDX(ctx context.Context, image idxFile, label *idxFile) (*array, error) {
	a, err := reopen(ctx, image.path, readIDXImages)
	if err != nil || label == nil {
		return a, err
	}
	l, err := openSource(ctx, label.path)
	if err != nil {
		return nil, err
	}
	defer l.close()
	a.labels, err = readIDXLabels(l)
	return a, err
}
