package metric

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
)

// Features are N rows of K numbers, one row for each image. A distance between sets of images is a
// distance between their features.
type Features struct {
	N, K int
	X    []float32 // N x K, row-major
}

// NewFeatures returns n rows of k numbers, stored in x. It panics unless len(x) = n*k.
func NewFeatures(x []float32, n, k int) *Features {
	if n < 0 || k < 1 || len(x) != n*k {
		panic(panicFeatures)
	}
	return &Features{N: n, K: k, X: x}
}

// Row returns row i, not a copy.
func (f *Features) Row(i int) []float32 { return f.X[i*f.K : (i+1)*f.K] }

// Rows returns the rows lo to hi (exclusive), not a copy.
func (f *Features) Rows(lo, hi int) *Features {
	return &Features{N: hi - lo, K: f.K, X: f.X[lo*f.K : hi*f.K]}
}

// Take returns a copy of the rows with these indices, in their order.
func (f *Features) Take(idx []int) *Features {
	out := NewFeatures(make([]float32, len(idx)*f.K), len(idx), f.K)
	out.copyRows(f, idx)
	return out
}

// copyRows copies the rows of from with these indices.
func (f *Features) copyRows(from *Features, idx []int) {
	for i, j := range idx {
		copy(f.Row(i), from.Row(j))
	}
}

// valueRows is how many rows Values gathers between two checks of ctx.
const valueRows = 512

// Values returns the values of rows of dim, clamped to [-1, 1] if they are bounded (data.Kind says
// so); values that are not finite are errors. It ends with ctx's error soon after ctx ends.
func Values(ctx context.Context, rows data.Rows, dim int, bounded bool) (*Features, error) {
	out := NewFeatures(make([]float32, rows.Len()*dim), rows.Len(), dim)
	for lo := 0; lo < out.N; lo += valueRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+valueRows, out.N)
		block := out.Rows(lo, hi).X
		rows.Gather(block, data.Range(lo, hi))
		if i := kernel.NotFinite(block); i >= 0 {
			return nil, fmt.Errorf("metric: row %d holds %v, expected finite numbers", lo+i/dim,
				block[i])
		}
		if !bounded {
			continue
		}
		for i, v := range block {
			block[i] = min(1, max(-1, v))
		}
	}
	return out, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// checkPair returns an error for sets that the named metric cannot compare; least is the number of
// rows that it needs.
func checkPair(name string, a, b *Features, least int) error {
	if a.K != b.K {
		return fmt.Errorf("metric: %s of features of %d and of %d numbers, expected as many in "+
			"both sets", name, a.K, b.K)
	}
	for i, f := range []*Features{a, b} {
		if err := checkSet(name, [...]string{"first", "second"}[i], f, least); err != nil {
			return err
		}
	}
	return nil
}

// ErrUnfit is wrapped by the errors of sets that are valid, but too small for a metric, or with too
// many equal rows.
var ErrUnfit = errors.New("the sets are unfit for the metric")

// unfitError is an ErrUnfit with its reason.
type unfitError string

func (e unfitError) Error() string        { return string(e) }
func (e unfitError) Is(target error) bool { return target == ErrUnfit }

func unfit(format string, args ...any) error { return unfitError(fmt.Sprintf(format, args...)) }

func checkSet(name, which string, f *Features, least int) error {
	if len(f.X) != f.N*f.K || f.K < 1 {
		panic(panicFeatures)
	}
	if f.N < least {
		return unfit("metric: %s: the %s set has %d rows, expected %d or more", name, which, f.N,
			least)
	}
	if i := kernel.NotFinite(f.X); i >= 0 {
		return fmt.Errorf("metric: %s: row %d of the %s set holds %v in column %d (counted from "+
			"0), expected finite numbers",
			name, i/f.K, which, f.X[i], i%f.K)
	}
	return nil
}
