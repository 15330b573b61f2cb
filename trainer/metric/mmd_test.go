package metric

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

type pairKernel func(x, y []float32) float64

func cubicOf(x, y []float32) float64 {
	dot := 1.0
	for i := range x {
		dot += float64(x[i]) * float64(y[i]) / float64(len(x))
	}
	return math.Pow(dot, 3)
}

// mmdByPairs is the estimate by its formula.
func mmdByPairs(a, b *Features, k pairKernel) float64 {
	xx, yy, xy := 0.0, 0.0, 0.0
	for i := range a.N {
		for j := range a.N {
			if i != j {
				xx += k(a.Row(i), a.Row(j)) / float64(a.N*(a.N-1))
			}
		}
		for j := range b.N {
			xy += k(a.Row(i), b.Row(j)) / float64(a.N*b.N)
		}
	}
	for i := range b.N {
		for j := range b.N {
			if i != j {
				yy += k(b.Row(i), b.Row(j)) / float64(b.N*(b.N-1))
			}
		}
	}
	return xx + yy - 2*xy
}

// without is a set without one of its rows.
func without(f *Features, row int) *Features {
	var idx []int
	for i := range f.N {
		if i != row {
			idx = append(idx, i)
		}
	}
	return f.Take(idx)
}

// jackknifeByPairs is the standard error from the estimates without each row.
func jackknifeByPairs(a, b *Features, k pairKernel) float64 {
	spread := func(n int, estimate func(i int) float64) float64 {
		values, mean, sum := make([]float64, n), 0.0, 0.0
		for i := range values {
			values[i] = estimate(i)
			mean += values[i] / float64(n)
		}
		for _, v := range values {
			sum += (v - mean) * (v - mean)
		}
		return sum * float64(n-1) / float64(n)
	}
	return math.Sqrt(spread(a.N, func(i int) float64 { return mmdByPairs(without(a, i), b, k) }) +
		spread(b.N, func(i int) float64 { return mmdByPairs(a, without(b, i), k) }))
}

// Products in float32 are off by 1e-7 of 10, and so are their cubes; sums of thousands of them by
// less.
func TestKIDAgainstPairs(t *testing.T) {
	a, b := skewed(30, 5, 1), skewed(23, 5, 2)
	for i := range a.X {
		a.X[i] = 2*a.X[i] + 0.5
	}
	got := must[KIDResult](t)(KID(t.Context(), a, b, KIDOptions{Level: 0.9}, nil))
	wantClose(t, "KID", got.Value, mmdByPairs(a, b, cubicOf), 1e-7)
	stdErr := jackknifeByPairs(a, b, cubicOf)
	wantClose(t, "standard error", got.StdErr, stdErr, 1e-7)
	wantClose(t, "low end", got.Low, got.Value-1.6448536269514722*stdErr, 1e-6)
	wantClose(t, "high end", got.High, got.Value+1.6448536269514722*stdErr, 1e-6)
}

// More rows than a tile has, so that pieces of rows and columns meet.
func TestKIDOfManyTiles(t *testing.T) {
	a, b := standard(tileRows*2+40, 3, 1), standard(tileCols+70, 3, 2)
	p := pool.New(3)
	defer p.Close()
	o := KIDOptions{Subsets: 7, SubsetSize: tileRows + 9, Level: 0.95, Seed: 5}
	got := must[KIDResult](t)(KID(t.Context(), a, b, o, p))
	wantClose(t, "KID", got.Value, mmdByPairs(a, b, cubicOf), 1e-6)
	if alone := must[KIDResult](t)(KID(t.Context(), a, b, o, nil)); alone != got {
		t.Errorf("%+v alone, %+v with three workers", alone, got)
	}
}

func TestRBFAgainstPairs(t *testing.T) {
	a, b := standard(40, 5, 1), standard(31, 5, 2)
	for i := range b.X {
		b.X[i] = 1.3*b.X[i] + 0.4
	}
	far := func(f *Features) *Features { // does not change distances
		out := f.Take(data.Range(0, f.N))
		for i := range out.X {
			out.X[i] += 1024
		}
		return out
	}
	got, s, err := RBFMMD(t.Context(), a, b, 0.95, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	kernel := func(x, y []float32) float64 { return math.Exp(-squareDistance(x, y) / (2 * s * s)) }
	wantClose(t, "MMD", got.Value, mmdByPairs(a, b, kernel), 1e-7)
	wantClose(t, "standard error", got.StdErr, jackknifeByPairs(a, b, kernel), 1e-7)
	// All rows are used: half of the pairs are nearer than s.
	nearer, pairs := 0, 0
	both := NewFeatures(append(append([]float32{}, a.X...), b.X...), 71, 5)
	for i := range 71 {
		for j := range i {
			pairs++
			if math.Sqrt(squareDistance(both.Row(i), both.Row(j))) < s {
				nearer++
			}
		}
	}
	if nearer != pairs/2 {
		t.Errorf("%d of %d pairs are nearer than the median distance", nearer, pairs)
	}
	moved, _, err := RBFMMD(t.Context(), far(a), far(b), 0.95, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	// float32 holds 1024 + x to 6e-5
	wantClose(t, "MMD of moved sets", moved.Value, got.Value, 1e-4)
}

// In one dimension the squared discrepancy of two distributions under (x y + 1)^3 is the sum of (3
// over j) times the squared difference of their j-th moments. Over 200 pairs of sets, the mean of
// the estimates must be that within 4 standard errors, the mean of the subsets' estimates too, the
// jackknife's standard error what is seen (sample standard deviations of 200 are good to 5 %), and
// the interval hold in 95 %, within 1.5.
func TestKIDIsUnbiased(t *testing.T) {
	const pairs, n, m = 200, 150, 100
	moments := func(mean, std float64) [3]float64 {
		return [3]float64{mean, mean*mean + std*std, mean*mean*mean + 3*mean*std*std}
	}
	x, y := moments(0.2, 1), moments(0.5, 0.7)
	truth := 3*math.Pow(x[0]-y[0], 2) + 3*math.Pow(x[1]-y[1], 2) + math.Pow(x[2]-y[2], 2)
	var values, subsets []float64
	held, stdErr := 0, 0.0
	for i := range uint64(pairs) {
		a, b := normals(n, []float64{0.2}, []float64{1}, 2*i), normals(m, []float64{0.5},
			[]float64{0.7}, 2*i+1)
		got := must[KIDResult](t)(KID(t.Context(), a, b, KIDOptions{
			Subsets: 10, SubsetSize: 20, Level: 0.95, Seed: i,
		}, nil))
		values, subsets = append(values, got.Value), append(subsets, got.SubsetMean)
		stdErr += got.StdErr / pairs
		if got.Low <= truth && truth <= got.High {
			held++
		}
	}
	mean, err := meanAndError(values)
	subsetMean, subsetErr := meanAndError(subsets)
	t.Logf("truth %.4f, KID %.4f +- %.4f, of subsets %.4f +- %.4f; jackknife %.4f, seen %.4f; "+
		"held in %d of %d",
		truth, mean, err, subsetMean, subsetErr, stdErr, err*math.Sqrt(pairs), held, pairs)
	wantClose(t, "mean KID", mean, truth, 4*err)
	wantClose(t, "mean KID of subsets", subsetMean, truth, 4*subsetErr)
	wantClose(t, "jackknife over seen", stdErr/(err*math.Sqrt(pairs)), 1, 0.2)
	if share := float64(held) / pairs; share < 0.89 || share > 0.99 {
		t.Errorf("%.3f of the intervals hold the truth, expected 0.95", share)
	}
}

// Subsets of all rows are the sets, in another order; subsets are without repetition and of the
// smaller set's size.
func TestKIDSubsets(t *testing.T) {
	a, b := standard(40, 3, 1), standard(40, 3, 2)
	got := must[KIDResult](t)(KID(t.Context(), a, b, DefaultKID(1), nil))
	if got.SubsetSize != 40 || got.Subsets != 100 {
		t.Errorf("%d subsets of %d, expected 100 of 40", got.Subsets, got.SubsetSize)
	}
	wantClose(t, "KID of whole subsets", got.SubsetMean, got.Value, 1e-6)
	wantClose(t, "their spread", got.SubsetStdErr, 0, 1e-6)
}

// The subsets of both sets are drawn independently: those of one set are about 0 apart. Equal ones
// would be -2 (E k(x, x) - E k(x, y))/20 apart, -0.027 for numbers uniform in [-1/2, 1/2].
func TestKIDOfSubsetsOfOneSet(t *testing.T) {
	f := NewFeatures(reference.Uniform(3000, 1), 3000, 1)
	got := must[KIDResult](t)(KID(t.Context(), f, f, KIDOptions{
		Subsets: 400, SubsetSize: 20, Level: 0.95, Seed: 1,
	}, nil))
	wantClose(t, "KID of subsets of one set", got.SubsetMean, 0, 4*got.SubsetStdErr)
	if got.SubsetStdErr > 0.027/8 {
		t.Errorf("a standard error of %v tells nothing", got.SubsetStdErr)
	}
}

func TestKIDOfHugeFeatures(t *testing.T) {
	f := standard(10, 3, 1)
	for i := range f.X {
		f.X[i] *= 1e25
	}
	_, err := KID(t.Context(), f, f, DefaultKID(1), nil)
	wantError(t, err, "KID", "too large")
	_, err = SlicedWasserstein(t.Context(), f, standard(10, 3, 2), 4, 1, nil)
	if err != nil {
		t.Errorf("%v, expected none: projections are as large as the features", err)
	}
}
