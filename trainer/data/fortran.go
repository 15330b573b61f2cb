package data

import (
	"context"

	"github.com/plume-ml/plume/trainer/memory"
)

// fortran describes the order of an array whose first index, that of the image, runs fastest: the
// file has the first value of all images, then the second value of all images, and so on.
type fortran struct {
	m    int
	at   []int32 // index within the image of its values in the order of the file
	cols int     // values per image that are read before they are moved
}

// fortranBlock is roughly how many numbers of a small array are read before they are moved.
const fortranBlock = 1 << 20

// newFortran returns the order of an array with these dimensions. The first one is the number of
// images, which have at most maxDim values.
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

// columnsAtOnce returns how many columns of m numbers are read before they are moved into rows of d
// numbers: enough to fill a cache line of a row, or more if columns are short, but few enough to
// take little memory compared with the array.
func columnsAtOnce(m, d int) int {
	const line = 16
	return min(d, max(1, fortranBlock/m, min(line, d/line)))
}

// place returns the row and column of number i of the file.
func (f fortran) place(i int) (row, column int) { return i % f.m, int(f.at[i/f.m]) }

// fortranLoading is the additional memory while an array of m images with d values of width bytes
// is read.
func fortranLoading(m, d, width int) int64 {
	return memory.Array[uint8](m, columnsAtOnce(m, d), width) + memory.Array[int32](2, d)
}

// move copies src, which holds values first, first+1, ... of every image in the order of the file,
// to dst.
func move[T any](ctx context.Context, f fortran, dst, src []T, first int) error {
	const rows = 1 << 14 // between checks of ctx; each may touch a new page of memory
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

// fortranBody reads an array in Fortran order into C order, with the checks of body. If the size of
// the file does not confirm the header, it reads the whole array first, which takes twice the
// memory.
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

// inCOrder converts an array from Fortran order to C order. next returns the numbers first to
// first+k-1 in Fortran order.
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
