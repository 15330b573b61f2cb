package metric

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// frechetByRoots is the distance by its formula, with the symmetric root of a covariance.
func frechetByRoots(a, b *Features) float64 {
	meanA, covA := reference.Moments(a.X, a.K)
	meanB, covB := reference.Moments(b.X, b.K)
	symmetric := func(m mat.Matrix) *mat.SymDense {
		s := mat.NewSymDense(a.K, nil)
		for i := range a.K {
			for j := range i + 1 {
				s.SetSym(i, j, m.At(i, j))
			}
		}
		return s
	}
	rootOf := func(m mat.Matrix) (root mat.Dense, trace float64) {
		var e mat.EigenSym
		e.Factorize(symmetric(m), true)
		var v, scaled mat.Dense
		e.VectorsTo(&v)
		values := e.Values(nil)
		for i, x := range values {
			values[i] = math.Sqrt(max(0, x))
			trace += values[i]
		}
		scaled.Mul(&v, mat.NewDiagDense(a.K, values))
		root.Mul(&scaled, v.T())
		return root, trace
	}
	root, _ := rootOf(covA)
	var left, inner mat.Dense
	left.Mul(&root, covB)
	inner.Mul(&left, &root)
	_, trace := rootOf(&inner)
	d := mat.Trace(covA) + mat.Trace(covB) - 2*trace
	for i, m := range meanA {
		d += (m - meanB[i]) * (m - meanB[i])
	}
	return d
}

func skewed(n, k int, seed uint64) *Features {
	return NewFeatures(reference.Skewed(n, k, seed), n, k)
}

func TestFrechetAgainstRoots(t *testing.T) {
	for seed := range uint64(4) {
		a, b := skewed(400, 7, 10+seed), skewed(300, 7, 20+seed)
		for i := range b.X {
			b.X[i] *= 1 + 0.3*float32(i%7)/7
		}
		want := frechetByRoots(a, b)
		if want < 1e-3 {
			t.Fatalf("the sets are too close (%v) to tell anything", want)
		}
		// the roots lose half of the digits of small eigenvalues
		wantClose(t, "FD", must[float64](t)(Frechet(t.Context(), a, b)), want, 1e-9)
		wantClose(t, "FD the other way", must[float64](t)(Frechet(t.Context(), b, a)), want, 1e-9)
		wantClose(t, "FD of a set to itself", must[float64](t)(Frechet(t.Context(), a, a)), 0,
			1e-12)
	}
}

// embedded are the rows in more dimensions, rotated and moved, which keeps distances.
func embedded(f *Features, k int) *Features {
	q := reference.Rotation(k, 9)
	out := NewFeatures(make([]float32, f.N*k), f.N, k)
	for i := range f.N {
		for j := range k {
			sum := 0.25
			for c, v := range f.Row(i) {
				sum += float64(v) * q.At(j, c)
			}
			out.Row(i)[j] = float32(sum)
		}
	}
	return out
}

// Sets of few rows, or in few of many dimensions, have singular covariances. Their distance is that
// without the other dimensions. Rotated rows are rounded to float32, 3e-8 of numbers up to 1; with
// 60 dimensions, 3 to 6 of them with a deviation, the error stays below 1e-5 of the distance.
func TestFrechetOfSingularCovariances(t *testing.T) {
	scale := func(f *Features, s float32) *Features {
		for i := range f.X {
			f.X[i] *= s
		}
		return f
	}
	for _, c := range []struct{ n, m, flat, k int }{
		{500, 400, 3, 60}, // covariances without full rank
		{40, 400, 6, 60},  // one of fewer rows than dimensions
		{30, 20, 6, 60},   // both
		{5, 3, 6, 6},      // fewer rows than dimensions of either
		{60, 61, 3, 60},   // at the border
		{2, 2, 1, 300},    // two points of many dimensions
	} {
		a, b := standard(c.n, c.flat, 1), scale(standard(c.m, c.flat, 2), 1.5)
		want := frechetByRoots(a, b)
		got := must[float64](t)(Frechet(t.Context(), embedded(a, c.k), embedded(b, c.k)))
		wantClose(t, fmt.Sprintf("FD of %+v", c), got, want, 1e-5*max(1, want))
	}
}

// Equal sets are 0 apart whatever the dimensions: with roots of eigenvalues, 2,048 of them at 1e-16
// would leave 1e-5.
func TestFrechetOfManyDimensions(t *testing.T) {
	a := standard(50, 2048, 3)
	wantClose(t, "FD of a set to itself", must[float64](t)(Frechet(t.Context(), a, a)), 0, 1e-9)
	b := a.Take(data.Range(0, 50))
	for i := range b.X {
		b.X[i] = 2*b.X[i] + 1
	}
	g := NewGaussian(a.dense())
	want := g.trace // of (2 - 1)^2 times the covariance
	mean := 0.0
	for _, v := range g.mean {
		mean += (v + 1) * (v + 1)
	}
	// b is rounded to float32
	wantClose(t, "FD of a doubled set", must[float64](t)(Frechet(t.Context(), a, b)), want+mean,
		1e-6*want)
}

// A resample is the set that holds each row as often as it was drawn.
func TestResampleIsASet(t *testing.T) {
	for _, n := range []int{300, 9} { // more and fewer rows than numbers in a row
		f := skewed(n, 12, 5)
		for r := range 3 {
			var rows []int
			counts := newTally(n).draw(7, 1, r)
			for i, c := range counts {
				rows = append(rows, slices.Repeat([]int{i}, int(c))...)
			}
			if len(rows) != n || slices.Max(counts) < 2 {
				t.Fatalf("drew %d of %d rows, one at most %d times", len(rows), n,
					slices.Max(counts))
			}
			got, want := newResampler(f).draw(7, 1, r), NewGaussian(f.Take(rows).dense())
			wantClose(t, "trace", got.trace, want.trace, 1e-12)
			for i := range want.mean {
				wantClose(t, "mean", got.mean[i], want.mean[i], 1e-12)
			}
			wantClose(t, "distance", must[float64](t)(got.Frechet(want)), 0, 1e-9)
		}
	}
}

// Rows are drawn evenly: of 200,000 draws the counts of 50 rows have chi-squared 49 +- 9.9, and
// resamples, sets and seeds differ.
func TestTally(t *testing.T) {
	const n, resamples = 50, 4000
	sums := make([]float64, n)
	for r := range resamples {
		for i, c := range newTally(n).draw(3, 0, r) {
			sums[i] += float64(c)
		}
	}
	chi := 0.0
	for _, s := range sums {
		chi += (s - resamples) * (s - resamples) / resamples
	}
	if chi < 19 || chi > 89 { // 3 and 4 standard deviations
		t.Errorf("chi-squared %v, expected about 49", chi)
	}
	first := newTally(n).draw(3, 0, 0)
	for name, other := range map[string][]uint16{"resample": newTally(n).draw(3, 0, 1),
		"set": newTally(n).draw(3, 1, 0), "seed": newTally(n).draw(4, 0, 0)} {
		if slices.Equal(first, other) {
			t.Errorf("another %s draws the same rows", name)
		}
	}
}

// Over pairs of sets from Gaussians of known distance, the interval shifted by the bias holds that
// distance, and the interval holds the mean of the estimates, about as often as it says: in 95 % of
// 300 pairs, within 1.3 % (one standard error) and what so few rows take from it. An interval half
// or twice as wide would hold in 67 or in 99.99 %, and one about the estimate itself, 0.8 of its
// standard deviations too high, the distance in less than 90.
func TestFrechetIntervalHoldsTheDistance(t *testing.T) {
	const pairs, n, m = 300, 150, 200
	meanA, stdA := []float64{0, 0, 0, 0, 0, 0}, []float64{1, 0.8, 0.6, 0.5, 0.4, 0.3}
	meanB, stdB := []float64{0.3, 0, -0.2, 0, 0.1, 0}, []float64{0.8, 0.8, 0.9, 0.4, 0.4, 0.5}
	truth := 0.0
	for i := range meanA {
		truth += (meanA[i]-meanB[i])*(meanA[i]-meanB[i]) + (stdA[i]-stdB[i])*(stdA[i]-stdB[i])
	}
	p := pool.New(2)
	defer p.Close()
	estimates := make([]Estimate, pairs)
	mean, corrected := 0.0, 0.0
	for i := range estimates {
		a, b := normals(n, meanA, stdA, uint64(2*i)), normals(m, meanB, stdB, uint64(2*i+1))
		e := must[Estimate](t)(FrechetInterval(t.Context(), a, b, Bootstrap{
			Resamples: 100, Level: 0.95, Seed: uint64(i),
		}, p))
		estimates[i] = e
		mean += e.Value / pairs
		corrected += (e.Value - e.Bias) / pairs
	}
	holdsTruth, holdsMean := 0, 0
	for _, e := range estimates {
		if e.Low-e.Bias <= truth && truth <= e.High-e.Bias {
			holdsTruth++
		}
		if e.Low <= mean && mean <= e.High {
			holdsMean++
		}
	}
	t.Logf("truth %.4f, mean of the estimates %.4f, corrected %.4f; held in %d and %d of %d", truth,
		mean, corrected, holdsTruth, holdsMean, pairs)
	for what, held := range map[string]int{"distance": holdsTruth, "mean of the " +
		"estimates": holdsMean} {
		if share := float64(held) / pairs; share < 0.91 || share > 0.99 {
			t.Errorf("%.3f of the intervals hold the %s, expected 0.95", share, what)
		}
	}
	if bias := mean - truth; math.Abs(corrected-truth) > bias/4 {
		t.Errorf("the mean of the estimates is %v above the distance, corrected %v", bias,
			corrected-truth)
	}
}

// If both distributions are the same, the estimate is all bias, and intervals are wider than
// necessary.
func TestFrechetIntervalOfEqualDistributions(t *testing.T) {
	const pairs = 60
	held, bias, mean := 0, 0.0, 0.0
	for i := range uint64(pairs) {
		e := must[Estimate](t)(FrechetInterval(t.Context(), standard(300, 6, 2*i),
			standard(300, 6, 2*i+1), Bootstrap{Resamples: 60, Level: 0.95, Seed: i}, nil))
		if e.Low-e.Bias <= 0 && 0 <= e.High-e.Bias {
			held++
		}
		bias += e.Bias / pairs
		mean += e.Value / pairs
	}
	if held < 55 {
		t.Errorf("%d of %d intervals hold 0", held, pairs)
	}
	if math.Abs(bias/mean-1) > 0.15 { // seen: 1.06
		t.Errorf("the bias is put at %v, it is %v", bias, mean)
	}
}

func TestFrechetIntervalWorkers(t *testing.T) {
	a, b := standard(200, 5, 1), standard(150, 5, 2)
	alone := must[Estimate](t)(FrechetInterval(t.Context(), a, b, DefaultBootstrap(3), nil))
	p := pool.New(3)
	defer p.Close()
	if three := must[Estimate](t)(FrechetInterval(t.Context(), a, b, DefaultBootstrap(3),
		p)); alone != three {
		t.Errorf("%v alone, %v with three workers", alone, three)
	}
	if other := must[Estimate](t)(FrechetInterval(t.Context(), a, b, DefaultBootstrap(4),
		p)); alone.Low == other.Low || alone.Value != other.Value {
		t.Errorf("seeds 3 and 4 give %v and %v", alone, other)
	}
	// The sets are resampled independently: resamples of two copies of one set of 200 rows of 5
	// numbers differ, by tr C/100 for the means alone.
	if self := must[Estimate](t)(FrechetInterval(t.Context(), a, a, DefaultBootstrap(3),
		p)); self.Bias < 0.05 || self.Value > 1e-9 {
		t.Errorf("a set and itself: %+v", self)
	}
}
