package data

import (
	"context"
	"math"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// numbers converts the numbers of a file to float32 pixels while they are read.
type numbers struct {
	dtype     npyfile.Dtype
	ends      *[2]float64 // numbers that become -1 and 1; nil: no mapping
	missing   bool        // NaN is a missing value
	lo, hi    float64     // smallest and largest number so far
	fractions bool        // there was a number that is not an integer
	bad       int         // index of the first number that no finite float32 can hold; -1: none
	value     float64     // that number
}

func newNumbers(dtype npyfile.Dtype, opt Options) *numbers {
	x := &numbers{
		dtype: dtype, ends: opt.Range, missing: opt.Missing,
		lo: math.Inf(1), hi: math.Inf(-1), bad: -1,
	}
	if opt.As == Signals {
		x.ends = nil // calibrateSignals maps them, by default too
	}
	return x
}

// linear maps ends[0] to -1 and ends[1] to 1, both exactly.
func linear(v float64, ends [2]float64) float64 { return (v-ends[0])/(ends[1]-ends[0])*2 - 1 }

// fill returns a filler that reads from s.
func (x *numbers) fill(s *source) filler[float32] {
	return func(first int, dst []float32) (int, error) {
		return x.dtype.Blocks(s.r, len(dst), func(at int, values []float64) {
			x.take(dst[at:], values, first+at)
		})
	}
}

// take converts numbers to pixels. values[0] is number first of the file.
func (x *numbers) take(dst []float32, values []float64, first int) {
	for i, v := range values {
		if x.missing && math.IsNaN(v) {
			dst[i] = float32(v)
			continue
		}
		x.lo, x.hi = min(x.lo, v), max(x.hi, v)
		x.fractions = x.fractions || v != math.Trunc(v)
		y := v
		if x.ends != nil {
			y = linear(v, *x.ends)
		}
		dst[i] = float32(y)
		if x.bad < 0 && !(math.Abs(float64(dst[i])) <= math.MaxFloat32) {
			x.bad, x.value = first+i, v
		}
	}
}

// check returns an error if a number was not finite. place returns the row and column of number i.
func (x *numbers) check(s *source, place func(i int) (row, column int)) error {
	if x.bad < 0 {
		return nil
	}
	row, column := place(x.bad)
	if x.ends != nil && math.Abs(x.value) <= math.MaxFloat32 {
		return s.fail("--range %v,%v maps %v, at row %d, column %d (counted from 0), to a number "+
			"that is larger than float32 can hold", x.ends[0], x.ends[1], x.value, row, column)
	}
	return s.fail("holds %v at row %d, column %d (counted from 0); expected finite numbers that "+
		"float32 can hold",
		x.value, row, column)
}

// eachBlock calls f for consecutive ranges lo <= i < hi of 0 ... n-1 until ctx ends.
func eachBlock(ctx context.Context, n int, f func(lo, hi int)) error {
	const block = 1 << 20
	for lo := 0; lo < n; lo += block {
		if err := ctx.Err(); err != nil {
			return err
		}
		f(lo, min(n, lo+block))
	}
	return nil
}
