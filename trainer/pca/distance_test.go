package pca

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/metric"
)

func TestPCAOfKnownCovariance(t *testing.T) {
	const dim = 7
	q := reference.Rotation(dim, 1)
	std := []float64{0.05, 0.3, 0.1, 0.25, 0.15, 0.2, 0.02}
	mean := []float64{0.1, -0.1, 0, 0.05, 0.2, -0.2, 0}
	p := mustFit(t, cross(q, mean, std), dim, 3)
	if p.K() != 3 {
		t.Fatalf("%d components, expected 3", p.K())
	}
	total := 0.0
	for _, s := range std {
		total += s * s
	}
	for c, axis := range []int{1, 3, 5} { // the largest, in order
		wantClose(t, "variance", p.variances[c], std[axis]*std[axis], rounding)
		want, got := mat.Col(nil, axis, q), mat.Col(nil, c, p.components)
		flip := 1.0
		if slices.MaxFunc(want, compareAbs) < 0 {
			flip = -1
		}
		for j := range want {
			// rounding, divided by the gaps between the variances
			wantClose(t, "component entry", got[j], flip*want[j], 1e-5)
		}
	}
	for j := range mean {
		wantClose(t, "mean", p.mean[j], mean[j], rounding)
	}
	wantClose(t, "fraction of variance", p.FractionOfVariance(), (0.3*0.3+0.25*0.25+0.2*0.2)/total,
		rounding)
}

func TestComponentsAreLimited(t *testing.T) {
	if k := mustFit(t, array{reference.Uniform(5*20, 1), 20}, 20, 64).K(); k != 4 {
		t.Errorf("5 rows gave %d components, expected 4", k)
	}
	if k := mustFit(t, array{reference.Uniform(50*6, 1), 6}, 6, 64).K(); k != 6 {
		t.Errorf("6 dimensions gave %d components, expected 6", k)
	}
}

// Gaussians with common axes: FD = sum (difference of means)^2 + (difference of deviations)^2.
func TestDistanceClosedForm(t *testing.T) {
	const dim = 6
	q := reference.Rotation(dim, 2)
	a := []float64{0.25, 0.2, 0.15, 0.1, 0.05, 0.01}
	b := []float64{0.05, 0.25, 0.15, 0.02, 0.2, 0.1}
	meanA := []float64{0, 0.1, 0.2, -0.1, 0, 0}
	meanB := []float64{0.1, 0, 0.2, 0.1, -0.05, 0}
	want := 0.0
	for i := range dim {
		want += (a[i]-b[i])*(a[i]-b[i]) + (meanA[i]-meanB[i])*(meanA[i]-meanB[i])
	}
	p := mustFit(t, cross(q, meanA, a), dim, 64)
	wantClose(t, "FD", mustDistance(t, p, cross(q, meanB, b)), want, rounding)
}

// With fewer components than dimensions, only the distance within their span counts.
func TestDistanceInLeadingComponents(t *testing.T) {
	const dim = 5
	q := reference.Rotation(dim, 3)
	zero := make([]float64, dim)
	p := mustFit(t, cross(q, zero, []float64{0.3, 0.2, 0.02, 0.01, 0.01}), dim, 2)
	shift := make([]float64, dim)
	for j := range shift {
		shift[j] = 0.1*q.At(j, 0) + 0.2*q.At(j, 4)
	}
	got := mustDistance(t, p, cross(q, shift, []float64{0.2, 0.25, 0.2, 0.1, 0.05}))
	wantClose(t, "FD", got, 0.1*0.1+0.1*0.1+0.05*0.05, rounding)
}

// The distance in all components agrees with one whose root comes from the eigenvalues of the
// product A B, which is not symmetric.
func distanceByProduct(a, b array) float64 {
	meanA, covA := reference.Moments(a.rows, a.dim)
	meanB, covB := reference.Moments(b.rows, b.dim)
	var product mat.Dense
	product.Mul(covA, covB)
	var eigen mat.Eigen
	if !eigen.Factorize(&product, mat.EigenNone) {
		return math.NaN()
	}
	d := mat.Trace(covA) + mat.Trace(covB)
	for _, v := range eigen.Values(nil) {
		d -= 2 * math.Sqrt(max(0, real(v)))
	}
	for j := range meanA {
		d += (meanA[j] - meanB[j]) * (meanA[j] - meanB[j])
	}
	return d
}

func TestDistanceAgainstProduct(t *testing.T) {
	for seed := range uint64(5) {
		a, b := skewed(700, 9, 10+seed), skewed(600, 9, 20+seed)
		for i := range b.rows {
			b.rows[i] *= 1 + 0.3*float32(i%9)/9
		}
		want := distanceByProduct(a, b)
		if want < 1e-3 {
			t.Fatalf("the sets are too close (%v) for the test", want)
		}
		// Both work in float64; the gap is rounding, larger where eigenvalues are small.
		wantClose(t, "FD", mustDistance(t, mustFit(t, a, 9, 64), b), want, 1e-9)
		wantClose(t, "FD the other way", mustDistance(t, mustFit(t, b, 9, 64), a), want, 1e-9)
	}
}

func TestDistanceInvariances(t *testing.T) {
	a, b := skewed(1100, 8, 1), skewed(600, 8, 2)
	p := mustFit(t, a, 8, 64)
	want := mustDistance(t, p, b)
	wantClose(t, "FD of the training images", mustDistance(t, p, a), 0, 1e-9)
	wantClose(t, "FD of the training images in 3 components",
		mustDistance(t, mustFit(t, a, 8, 3), a), 0, 1e-9)

	order := make([]int, b.Len())
	kernel.Perm(order, kernel.Key{Seed: 3})
	shuffled := array{make([]float32, len(b.rows)), 8}
	b.Gather(shuffled.rows, order)
	wantClose(t, "FD of shuffled samples", mustDistance(t, p, shuffled), want, 1e-9)

	q := reference.Rotation(8, 4)
	turn := func(a array) array {
		out := array{make([]float32, len(a.rows)), a.dim}
		for i := range out.rows {
			r, j, sum := i/8, i%8, 0.0
			for c := range 8 {
				// halved: rotated rows must not be clamped
				sum += 0.5 * float64(a.rows[r*8+c]) * q.At(c, j)
			}
			out.rows[i] = float32(sum)
		}
		return out
	}
	wantClose(t, "FD of halved, rotated sets", mustDistance(t, mustFit(t, turn(a), 8, 64), turn(b)),
		want/4, rounding)
}

func TestSamplesAreClamped(t *testing.T) {
	p := mustFit(t, skewed(100, 4, 1), 4, 64)
	wild := []float32{3, 0, -7, 0.5, 0, 0.1, 0.2, 1.5, -1, 0, 0, 0}
	before := slices.Clone(wild)
	tame := []float32{1, 0, -1, 0.5, 0, 0.1, 0.2, 1, -1, 0, 0, 0}
	if got, want := mustDistance(t, p, array{wild, 4}), mustDistance(t, p,
		array{tame, 4}); got != want {
		t.Errorf("FD %v, expected %v as for clamped samples", got, want)
	}
	if !slices.Equal(wild, before) {
		t.Error("the samples were changed")
	}
}

// Sums have a fixed order, whatever the number of threads.
func TestThreadsDoNotMatter(t *testing.T) {
	a, b := skewed(1500, 150, 1), skewed(700, 150, 2)
	run := func(threads int) float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		return mustDistance(t, mustFit(t, a, 150, 64), b)
	}
	if one, three := run(1), run(3); one != three {
		t.Errorf("FD %v with one thread, %v with three", one, three)
	}
}

func TestBadSets(t *testing.T) {
	nan := array{reference.Uniform(40, 1), 4}
	nan.rows[7] = float32(math.NaN())
	for name, c := range map[string]struct {
		rows array
		dim  int
		k    int
		want string
	}{
		"one row":    {array{reference.Uniform(4, 1), 4}, 4, 64, "1 images"},
		"NaN":        {nan, 4, 64, "not finite"},
		"equal rows": {array{make([]float32, 40), 4}, 4, 64, "equal"},
		"no k":       {array{reference.Uniform(40, 1), 4}, 4, 0, "0 components"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Fit(t.Context(), c.rows, c.dim, c.k, Options{})
			wantError(t, err, c.want)
		})
	}
	p := mustFit(t, array{reference.Uniform(40, 1), 4}, 4, 64)
	_, err := p.Distance(t.Context(), nan, nil)
	wantError(t, err, "PCA-64 FD", "sample 1", "NaN")
	late := array{reference.Uniform(4*(blockRows+90), 1), 4}
	late.rows[4*(blockRows+50)+2] = float32(math.Inf(1))
	_, err = p.Distance(t.Context(), late, nil)
	wantError(t, err, "sample 562", "+Inf")
	_, err = p.Distance(t.Context(), array{nan.rows[:4], 4}, nil)
	wantError(t, err, "1 samples")
}

// PCA.Distance is the Fréchet distance of the features, up to their rounding to float32.
func TestFeatures(t *testing.T) {
	a, b := skewed(900, 12, 1), skewed(700, 12, 2)
	p := mustFit(t, a, 12, 5)
	features := func(rows array) *metric.Features {
		f, err := p.Features(t.Context(), rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	x := features(a)
	distance, err := metric.Frechet(t.Context(), x, features(b))
	if err != nil {
		t.Fatal(err)
	}
	wantClose(t, "FD", distance, mustDistance(t, p, b), rounding)
	mean, _ := reference.Moments(x.X, x.K)
	for _, v := range mean {
		wantClose(t, "the training images' mean", v, 0, rounding)
	}
	b.rows[12*3+1] = float32(math.Inf(1))
	_, err = p.Features(t.Context(), b, nil)
	wantError(t, err, "sample 3", "+Inf")
}

// Samples of rows that are not bounded, as standardised numbers are, keep their values: halved rows
// are as far from halved ones as these are from each other, but for the factor.
func TestOtherSamplesAreNotClamped(t *testing.T) {
	a, b := skewed(200, 4, 1), skewed(200, 4, 2)
	a.rows[0] = 0.9 // within [-1, 1], and beyond when it is tripled
	times := func(a array, by float32) array {
		out := array{make([]float32, len(a.rows)), a.dim}
		for i, v := range a.rows {
			out.rows[i] = by * v
		}
		return out
	}
	want := 9 * mustDistance(t, mustFit(t, a, 4, 64), b)
	got := mustDistance(t, mustFit(t, times(a, 3), 4, 64), times(b, 3))
	wantClose(t, "FD of tripled sets", got, want, rounding)
}
