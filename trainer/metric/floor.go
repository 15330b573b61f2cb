package metric

import (
	"fmt"
	"math"
)

// FloorEstimate is the distance of real images from real images by some metric.
type FloorEstimate struct {
	Mean    float64 `json:"mean"`    // over the repeats
	StdDev  float64 `json:"std_dev"` // between repeats, which share images
	N       int     `json:"n"`       // sizes of the two sets
	M       int     `json:"m"`
	Reduced bool    `json:"reduced"` // there were too few images for the sizes asked for
	Repeats int     `json:"repeats"`
}

// Floor measures f between disjoint random subsets of the real features, of n and of m rows: what a
// perfect model would reach at these sizes. It is averaged over repeats. If there are fewer than n
// + m rows, all are used, in the same ratio. Fewer than 4 rows, sizes below 2, fewer than 2 repeats
// and errors of f are errors.
func Floor(
	real *Features, n, m, repeats int, seed uint64, f func(a, b *Features) (float64, error),
) (FloorEstimate, error) {
	if real.N < 4 || n < 2 || m < 2 {
		return FloorEstimate{}, fmt.Errorf("metric: floor between %d and %d of %d rows, expected "+
			"4 rows or more, and 2 or more for each", n, m, real.N)
	}
	if repeats < 2 || repeats > maxDraws {
		return FloorEstimate{}, fmt.Errorf("metric: floor of %d repeats, expected 2 to %d", repeats,
			maxDraws)
	}
	out := FloorEstimate{Repeats: repeats}
	out.N, out.M = pairSizes(real.N, n, m)
	out.Reduced = out.N+out.M < n+m
	values := make([]float64, repeats)
	for r := range values {
		a, b := disjointPair(real, n, m, seed, r)
		var err error
		if values[r], err = f(a, b); err != nil {
			return FloorEstimate{}, err
		}
	}
	var stdErr float64
	out.Mean, stdErr = meanAndError(values)
	out.StdDev = stdErr * math.Sqrt(float64(repeats))
	return out, nil
}

// disjointPair draws two disjoint random subsets of n and m rows, those of the given repeat; see
// pairSizes for fewer rows.
func disjointPair(f *Features, n, m int, seed uint64, repeat int) (a, b *Features) {
	n, m = pairSizes(f.N, n, m)
	idx := choose(make([]int, f.N), n+m, drawPairs.key(seed, 0, repeat))
	return f.Take(idx[:n]), f.Take(idx[n:])
}

// pairSizes returns n and m, scaled down if rows < n+m, at least 2 each.
func pairSizes(rows, n, m int) (int, int) {
	if n+m <= rows {
		return n, m
	}
	n = int(math.Round(float64(rows) * float64(n) / float64(n+m)))
	n = min(max(n, 2), rows-2)
	return n, rows - n
}
