package data

import (
	"context"
	"fmt"
	"slices"
)

// Hole is what is missing of all rows of a shape: a rectangle of w x h pixels, x pixels from the
// left and y from the top, of all channels; of signals (H = 1) w samples from the x-th on, where y
// is 0 and h is 1. A rectangle that is empty or reaches beyond the shape is an error.
func Hole(shape Shape, x, y, w, h int) (*Missing, error) {
	if x < 0 || y < 0 || w < 1 || h < 1 || w > shape.W-x || h > shape.H-y {
		return nil, fmt.Errorf("hole of %d x %d pixels at %d, %d: expected one or more, within %v",
			w, h, x, y, shape)
	}
	hole := &Missing{D: shape.Dim(), At: make([]bool, shape.Dim())}
	for row := y; row < y+h; row++ {
		for i := range w * shape.C {
			hole.At[(row*shape.W+x)*shape.C+i] = true
		}
	}
	return hole, nil
}

// ReadMask reads from a .npy file what is missing of the given number of rows of a shape: where the
// file has 0 or false. Its array has the shape of one row, which is meant for all of them, or of
// all rows.
func ReadMask(ctx context.Context, path string, shape Shape, rows int) (*Missing, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	n, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	if err := n.Dtype.Refusal(); err != nil {
		return nil, s.fail("%w", err)
	}
	if !isMask(n.Dims, shape, 1) && !isMask(n.Dims, shape, rows) {
		return nil, s.fail("has the dimensions %s; expected %s for all rows, or %s",
			joinDims(n.Dims), joinDims(shape.Dims(1)[1:]), joinDims(shape.Dims(rows)))
	}
	m := &Missing{D: shape.Dim()}
	if isBytes(n.Dtype) {
		known, _, err := readOrder[uint8](s, n, s.fillBytes)
		m.At = zeros(known)
		return m, err
	}
	x := newNumbers(n.Dtype, Options{})
	known, place, err := readOrder(s, n, x.fill(s))
	if err != nil {
		return nil, err
	}
	m.At = zeros(known)
	return m, x.check(s, place)
}

// isMask reports whether an array of the dimensions is a mask of rows of the shape: as H x W x C,
// as H x W or as D, after the number of rows unless that is 1.
func isMask(dims []int, shape Shape, rows int) bool {
	if len(dims) > 1 && dims[0] == rows && isMask(dims[1:], shape, 1) {
		return true
	}
	return rows == 1 && (slices.Equal(dims, []int{shape.H, shape.W, shape.C}) ||
		slices.Equal(dims, []int{shape.Dim()}) ||
		shape.C == 1 && slices.Equal(dims, []int{shape.H, shape.W}))
}

// zeros says where x is 0.
func zeros[T uint8 | float32](x []T) []bool {
	out := make([]bool, len(x))
	for i, v := range x {
		out[i] = v == 0
	}
	return out
}
