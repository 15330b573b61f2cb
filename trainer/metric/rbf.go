package metric

import (
	"context"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/pool"
)

const (
	rbfName    = "MMD with a Gaussian kernel"
	medianRows = 500 // of each set, between which the median distance is taken
)

// RBFMMD returns the unbiased squared maximum mean discrepancy under the kernel
// exp(-|x - y|^2/(2 s^2)). The bandwidth s is the median distance (Gretton et al. 2012, section 8)
// between the rows of both sets together, from up to 500 rows of each. Errors are those of KID, and
// sets half of whose rows are equal, so that s would be 0. It ends with ctx's error soon after ctx
// ends.
func RBFMMD(
	ctx context.Context, a, b *Features, level float64, seed uint64, p *pool.Pool,
) (result MMDResult, bandwidth float64, err error) {
	if err := checkPair(rbfName, a, b, 3); err != nil {
		return MMDResult{}, 0, err
	}
	if err := checkLevel(level); err != nil {
		return MMDResult{}, 0, err
	}
	bandwidth = medianDistance(a, b, seed)
	if bandwidth == 0 {
		return MMDResult{}, 0, unfit("metric: %s: half of the rows are equal, the median "+
			"distance is 0", rbfName)
	}
	x, y := moved(a, b)
	scale := -1 / (2 * bandwidth * bandwidth)
	gaussian := func(product float32, norm1, norm2 float64) float64 {
		return math.Exp(scale * max(0, norm1+norm2-2*float64(product)))
	}
	result, err = mmd(ctx, rbfName, x, y, gaussian, level, p)
	return result, bandwidth, err
}

func medianDistance(a, b *Features, seed uint64) float64 {
	var rows [][]float32
	for set, f := range []*Features{a, b} {
		for _, i := range choose(make([]int, f.N), min(f.N, medianRows),
			drawDistances.key(seed, set, 0)) {
			rows = append(rows, f.Row(i))
		}
	}
	distances := make([]float64, 0, len(rows)*(len(rows)-1)/2)
	for i, x := range rows {
		for _, y := range rows[:i] {
			distances = append(distances, math.Sqrt(squareDistance(x, y)))
		}
	}
	slices.Sort(distances)
	return quantile(distances, 0.5)
}

// squareDistance returns the squared distance between two rows, summed in float64 in a fixed order.
// It decides every comparison of distances.
func squareDistance(x, y []float32) (sum float64) {
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum
}

// moved returns copies of both sets with their common mean subtracted, which makes products in
// float32 most accurate.
func moved(a, b *Features) (x, y *Features) {
	mean := make([]float64, a.K)
	for _, f := range []*Features{a, b} {
		for i, v := range f.X {
			mean[i%f.K] += float64(v) / float64(a.N+b.N)
		}
	}
	move := func(f *Features) *Features {
		out := make([]float32, len(f.X))
		for i, v := range f.X {
			out[i] = float32(float64(v) - mean[i%f.K])
		}
		return NewFeatures(out, f.N, f.K)
	}
	return move(a), move(b)
}
