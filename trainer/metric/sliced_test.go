package metric

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// lineDistance is the squared distance of two sets on a line, each value repeated so that both have
// as many.
func lineDistance(x, y []float32) float64 {
	repeat := func(v []float32, times int) (out []float32) {
		for _, x := range v {
			out = append(out, slices.Repeat([]float32{x}, times)...)
		}
		slices.Sort(out)
		return out
	}
	a, b := repeat(x, len(y)), repeat(y, len(x))
	sum := 0.0
	for i := range a {
		sum += math.Pow(float64(a[i])-float64(b[i]), 2) / float64(len(a))
	}
	return sum
}

func onLine(x []float32) *projection {
	p := newProjection(len(x))
	products := make([]float32, len(x)*directionBlock)
	for i, v := range x {
		products[i*directionBlock+3] = v
	}
	p.sort(products, 3)
	return p
}

func TestWassersteinOnALine(t *testing.T) {
	for _, c := range []struct{ n, m int }{{1, 1}, {5, 5}, {6, 4}, {7, 3}, {1, 9}, {20, 21}} {
		x, y := reference.Uniform(c.n, 1), reference.Uniform(c.m, 2)
		x[0], y[c.m-1] = 0.25, 0.25 // equal values
		wantClose(t, "W2^2", wasserstein(onLine(x), onLine(y)), lineDistance(x, y), 1e-12)
		counts := newTally(c.n).draw(1, 0, c.m)
		drawn := onLine(x)
		drawn.take(counts)
		var rows []float32
		for i, n := range counts {
			rows = append(rows, slices.Repeat([]float32{x[i]}, int(n))...)
		}
		wantClose(t, "W2^2 of a resample", wasserstein(drawn, onLine(y)), lineDistance(rows, y),
			1e-12)
	}
	wantClose(t, "W2^2 by hand", wasserstein(onLine([]float32{0, 1}), onLine([]float32{3, 0, 0})),
		(0+1.0/6+4.0/3)*1, 1e-12)
}

// Moved by v, a set is |u.v| away on direction u, whose mean square over the sphere is |v|^2/K. The
// square of one component of a random unit vector in 4 dimensions has the standard deviation 0.25
// around its mean 0.25; that of 1,000 directions is 0.008, and of a distance 1.6 %. Doubled, a set
// is as far from itself as its mean square about 0.
func TestSlicedClosedForms(t *testing.T) {
	const directions = 1000
	a := standard(300, 4, 1)
	b := a.Take(data.Range(0, 300))
	for i := range b.X {
		b.X[i] += []float32{0.6, 0, 0.8, 0}[i%4]
	}
	got := must[float64](t)(SlicedWasserstein(t.Context(), a, b, directions, 1, nil))
	wantClose(t, "distance of a moved set", got, 0.5, 4*0.016*0.5)
	for i := range b.X {
		b.X[i] = 2 * a.X[i]
	}
	square := 0.0
	for _, v := range a.X {
		square += float64(v) * float64(v) / 300 / 4
	}
	got = must[float64](t)(SlicedWasserstein(t.Context(), a, b, directions, 1, nil))
	// directions differ little: 0.6 % each, seen 0.003
	wantClose(t, "distance of a doubled set", got, math.Sqrt(square), 0.02)
}

// Between large sets from N(0, I) and N(v, s^2 I), the mean square is |v|^2/K + (s - 1)^2. The bias
// of 4,000 rows adds less than 1e-3 (about 1/N for the means and as much for the spread).
func TestSlicedOfGaussians(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	mean, std := []float64{1, 0, -0.5}, []float64{1.5, 1.5, 1.5}
	got := must[float64](t)(SlicedWasserstein(t.Context(), standard(4000, 3, 1),
		normals(3000, mean, std, 2), 200, 1, p))
	want := math.Sqrt(1.25/3 + 0.25)
	// Squares of a component: standard deviation 0.3 about 1/3; of 200 directions 0.021 of 1.25,
	// over twice the distance.
	wantClose(t, "distance", got, want, 4*0.021*1.25/(2*want))
}

func TestSlicedDirections(t *testing.T) {
	const k, blocks = 33, 200
	sum, sums := 0.0, make([]float64, k)
	for b := range blocks {
		axes := make([]float32, directionBlock*k)
		setRandomAxes(axes, drawDirections.key(1, 0, b))
		for i := range directionBlock {
			length := 0.0
			for j, v := range axes[i*k : (i+1)*k] {
				length += float64(v) * float64(v)
				sums[j] += float64(v)
				sum += math.Pow(float64(v), 4)
			}
			wantClose(t, "length", length, 1, 1e-6)
		}
	}
	n := float64(blocks * directionBlock)
	for _, s := range sums {
		wantClose(t, "mean of a component", s/n, 0, 4.5/math.Sqrt(k*n))
	}
	// of the sphere; seen within 1 %
	wantClose(t, "mean fourth power", sum/n/k, 3.0/(k*(k+2)), 0.05*3/(k*(k+2)))
}

func TestSlicedWorkers(t *testing.T) {
	a, b := standard(90, 5, 1), standard(70, 5, 2)
	bs := Bootstrap{Resamples: 50, Level: 0.9, Seed: 4}
	p := pool.New(3)
	defer p.Close()
	alone, three := must[Estimate](t)(SlicedWassersteinInterval(t.Context(), a, b, 37, bs, nil)),
		must[Estimate](t)(SlicedWassersteinInterval(t.Context(), a, b, 37, bs, p))
	if alone != three {
		t.Errorf("%v alone, %v with three workers", alone, three)
	}
	if got := must[float64](t)(SlicedWasserstein(t.Context(), a, b, 37, bs.Seed,
		p)); got != alone.Value {
		t.Errorf("%v without, %v with its interval", got, alone.Value)
	}
	if other := must[float64](t)(SlicedWasserstein(t.Context(), a, b, 37, bs.Seed+1,
		p)); other == alone.Value {
		t.Error("two seeds have the same directions")
	}
}

// Over pairs of sets, intervals hold the mean of the estimates in 95 %, within 1.5 % (one standard
// error), and less the bias the distance of the distributions, which the same directions and large
// sets give.
func TestSlicedInterval(t *testing.T) {
	const pairs, directions = 200, 8
	sets := func(n int, i uint64) (a, b *Features) {
		return standard(n, 2, 2*i), normals(n, []float64{0.4, 0.2}, []float64{1.3, 0.8}, 2*i+1)
	}
	bs := Bootstrap{Resamples: 100, Level: 0.95, Seed: 3}
	big, other := sets(100000, 1000)
	truth := must[float64](t)(SlicedWasserstein(t.Context(), big, other, directions, bs.Seed, nil))
	estimates := make([]Estimate, pairs)
	mean, corrected := 0.0, 0.0
	for i := range estimates {
		a, b := sets(120, uint64(i))
		estimates[i] = must[Estimate](t)(SlicedWassersteinInterval(t.Context(), a, b, directions,
			bs, nil))
		mean += estimates[i].Value / pairs
		corrected += (estimates[i].Value - estimates[i].Bias) / pairs
	}
	held := 0
	for _, e := range estimates {
		if e.Low <= mean && mean <= e.High {
			held++
		}
	}
	t.Logf("truth %.4f, mean %.4f, corrected %.4f; held in %d of %d", truth, mean, corrected, held,
		pairs)
	if share := float64(held) / pairs; share < 0.9 || share > 0.99 {
		t.Errorf("%.3f of the intervals hold the mean of the estimates, expected 0.95", share)
	}
	if math.Abs(corrected-truth) > (mean-truth)/2 {
		t.Errorf("the estimates are %v too high, corrected %v", mean-truth, corrected-truth)
	}
}
