package data

import (
	"context"

	"github.com/plume-ml/plume/trainer/memory"
)

// fortran is the order of an array whose first index, that of the images, runs fastest: all
// images' first value, all images' second value, and so on, the last dimension the slowest.
type fortran struct {
	m    int
	at   []int32 // place in an image of each of its values, as they follow one another in the file
	cols int     // values of an image that are moved at a time
}

// movedAtOnce is about how many numbers of small arrays are read before they are moved.
const movedAtOnce = 1 << 20

// newFortran is the order of an array of these dimensions, the first of them that of the
// images, which have at most MaxDim values.
func newFortran(dims []int) fortran {
	f := fortran{m: dims[0], at: []int32{0}}
	stride := 1
	for _, d := range dims[1:] {
		stride *= d
	}
	for _, d := range dims[1:] {
		stride /= d
		next := make([]int32, 0, len(f.at)*d)
		for i := range d {
			for _, place := range f.at {
				next = append(next, place+int32(i*stride))
			}
		}
		f.at = next
	}
	f.cols = columnsAtOnce(f.m, len(f.at))
	return f
}

// columnsAtOnce is how many columns of m numbers are read before they are moved to their places in
// rows of d: a cache line of them, and more where they are short, but not so many that they take
// much memory beside the array.
func columnsAtOnce(m, d int) int {
	const line = 16
	return min(d, max(1, movedAtOnce/m, min(line, d/line)))
}

// place is the row and column of number i of the file.
func (f fortran) place(i int) (row, column int) { return i % f.m, int(f.at[i/f.m]) }

// fortranLoading is the memory that reading such an array of m images of d values of width
// bytes takes beside the array's.
func fortranLoading(m, d, width int) int64 {
	return memory.Array[uint8](m, columnsAtOnce(m, d), width) + memory.Array[int32](2, d)
}

// move puts src, values first, first+1, ... of every image, to their places in dst.
func move[T any](ctx context.Context, f fortran, dst, src []T, first int) error {
	const rows = 1 << 14 // they may be the first to touch as many pages of memory
	d := len(f.at)
	places := f.at[first : first+len(src)/f.m]
	for low := 0; low < f.m; low += rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for row := low; row < min(f.m, low+rows); row++ {
			for j, at := range places {
				dst[row*d+int(at)] = src[j*f.m+row]
			}
		}
	}
	return nil
}

// fortranBody reads an array in that order, like body, into C order. Where the size of the file
// does not confirm the header, the array is read as it is first and takes its memory twice.
func fortranBody[T any](s *source, f fortran, width int, fill filler[T]) ([]T, error) {
	n := f.m * len(f.at)
	if !s.confirms(memory.Array[uint8](n, width)) {
		all, err := body(s, n, width, fill)
		if err != nil {
			return nil, err
		}
		next := func(first, k int) ([]T, error) { return all[first : first+k], nil }
		return inCOrder(s.ctx, f, next)
	}
	block := make([]T, f.m*f.cols)
	dst, err := inCOrder(s.ctx, f, func(first, k int) ([]T, error) {
		if got, err := fill(first, block[:k]); err != nil {
			return nil, s.broken(err, first+got, n)
		}
		return block[:k], nil
	})
	if err != nil {
		return nil, err
	}
	return dst, s.end(n)
}

// inCOrder makes an array in C order of the numbers in Fortran's, of which next returns k from
// the first on.
func inCOrder[T any](
	ctx context.Context, f fortran, next func(first, k int) ([]T, error),
) ([]T, error) {
	d := len(f.at)
	dst := make([]T, f.m*d)
	for column := 0; column < d; column += f.cols {
		src, err := next(column*f.m, min(f.cols, d-column)*f.m)
		if err == nil {
			err = move(ctx, f, dst, src, column)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}
