package metric

import (
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/pool"
)

// KIDOptions say how the kernel distance is estimated.
type KIDOptions struct {
	Subsets    int     // 0: none
	SubsetSize int     // rows of either set, or all of the smaller one
	Level      float64 // probability of the interval
	Seed       uint64  // of the subsets
}

// DefaultKID uses 100 subsets of 1,000 rows, as usual, and a 95 % interval.
func DefaultKID(seed uint64) KIDOptions {
	return KIDOptions{Subsets: 100, SubsetSize: 1000, Level: 0.95, Seed: seed}
}

// KIDResult is the kernel distance from all rows and, as the literature reports it, its mean over
// subsets drawn without replacement. SubsetStdErr is the subsets' standard deviation over the root
// of their number. Since subsets of one set overlap, it says how well the mean over all such
// subsets is known, not the distance.
type KIDResult struct {
	MMDResult
	SubsetMean   float64 `json:"subset_mean"`
	SubsetStdErr float64 `json:"subset_std_err"`
	Subsets      int     `json:"subsets"`
	SubsetSize   int     `json:"subset_size"`
}

const kidName = "KID"

// KID returns the unbiased squared maximum mean discrepancy under the kernel (x.y/K + 1)^3
// (Binkowski et al. 2018); in features of an Inception network it is the KID of the literature.
// Products are in float32, sums in float64.
//
// Fewer than three rows in a set or a subset, rows of different lengths and numbers that are not
// finite are errors. It ends with ctx's error soon after ctx ends.
func KID(ctx context.Context, a, b *Features, o KIDOptions, p *pool.Pool) (KIDResult, error) {
	if err := checkPair(kidName, a, b, 3); err != nil {
		return KIDResult{}, err
	}
	if err := o.check(); err != nil {
		return KIDResult{}, err
	}
	cubic := cubicKernel(a.K)
	all, err := mmd(ctx, kidName, a, b, cubic, o.Level, p)
	result := KIDResult{MMDResult: all, Subsets: o.Subsets, SubsetSize: min(o.SubsetSize, a.N, b.N)}
	if err != nil || o.Subsets == 0 {
		return result, err
	}
	values, err := o.subsets(ctx, a, b, result.SubsetSize, cubic, p)
	if err != nil {
		return KIDResult{}, err
	}
	result.SubsetMean, result.SubsetStdErr = meanAndError(values)
	return result, nil
}

func (o KIDOptions) check() error {
	if err := checkLevel(o.Level); err != nil {
		return err
	}
	if o.Subsets < 0 || o.Subsets == 1 || o.Subsets > maxDraws {
		return fmt.Errorf("metric: KID over %d subsets, expected 2 to %d, or 0 for none", o.Subsets,
			maxDraws)
	}
	if o.Subsets > 0 && o.SubsetSize < 3 {
		return fmt.Errorf("metric: KID over subsets of %d rows, expected 3 or more", o.SubsetSize)
	}
	return nil
}

func cubicKernel(k int) similarity {
	scale := 1 / float64(k)
	return func(product float32, _, _ float64) float64 {
		t := float64(product)*scale + 1
		return t * t * t
	}
}

// subsets returns the estimates from pairs of subsets.
func (o KIDOptions) subsets(
	ctx context.Context, a, b *Features, size int, k similarity, p *pool.Pool,
) ([]float64, error) {
	values := make([]float64, o.Subsets)
	pairs := pool.NewScratch(p, func() *subsetPair { return newSubsetPair(a, b, size) })
	err := runUntil(ctx, p, o.Subsets, func(s int) {
		pairs.Use(func(pair *subsetPair) {
			pair.x.copyRows(a, choose(pair.idxA, size, drawSubsets.key(o.Seed, 0, s)))
			pair.y.copyRows(b, choose(pair.idxB, size, drawSubsets.key(o.Seed, 1, s)))
			values[s] = pair.estimate(ctx, k)
		})
	})
	return values, err
}

// subsetPair is a subset of each set, with scratch memory to compare them.
type subsetPair struct {
	idxA, idxB []int
	x, y       *Features
	sums       []float64
	norms      []float64 // left 0: squared lengths do not enter the cubic kernel
	tile       []float32
}

func newSubsetPair(a, b *Features, size int) *subsetPair {
	rows := func() *Features { return NewFeatures(make([]float32, size*a.K), size, a.K) }
	return &subsetPair{
		idxA: make([]int, a.N), idxB: make([]int, b.N),
		x: rows(), y: rows(),
		sums: make([]float64, size), norms: make([]float64, size),
		tile: make([]float32, tileRows*tileCols),
	}
}

func (s *subsetPair) estimate(ctx context.Context, k similarity) float64 {
	n := float64(s.x.N)
	return uStatistic(s.sum(ctx, s.x, s.x, k, true), s.sum(ctx, s.y, s.y, k, true),
		s.sum(ctx, s.x, s.y, k, false), n, n)
}

// sum returns the sum of the similarities of all pairs of a row of a and a row of b; with same, a
// and b are one set, and the rows of a pair differ.
func (s *subsetPair) sum(ctx context.Context, a, b *Features, k similarity, same bool) float64 {
	for lo := 0; lo < a.N; lo += tileRows {
		hi := min(lo+tileRows, a.N)
		sumRows(ctx, s.sums[lo:hi], a, b, lo, hi, s.norms, s.norms, k, same, s.tile)
	}
	return total(s.sums)
}

// meanAndError returns the mean of two or more values and the standard error of independent ones.
func meanAndError(values []float64) (mean, stdErr float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	sum := 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sum / (n - 1) / n)
}
