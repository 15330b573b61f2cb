package metric

import (
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// What the metrics allocate is what the formulas say, within 5 %: small things are left out. What is garbage before the most is
// held is not in the formulas, and added here.
func TestFeatureBytes(t *testing.T) {
	const n, m, k, threads, directions, resamples = 1500, 1200, 40, 2, 64, 50
	a, b := standard(n, k, 1), standard(m, k, 2)
	p := pool.New(threads)
	defer p.Close()
	check := func(what string, formula int64, f func() error) {
		t.Helper()
		if err := f(); err != nil { // so that the products have their room already
			t.Fatal(err)
		}
		within(t, what, allocated(func() { f() }), formula)
	}
	bs := Bootstrap{Resamples: resamples, Level: 0.95, Seed: 1}
	once := FrechetBytes(n, m, k) + gaussianBytes(m, k)
	check("a Fréchet distance", once, func() error { _, err := Frechet(a, b); return err })
	wide, few := standard(130, 2000, 1), standard(120, 2000, 2)
	check("one of few rows", FrechetBytes(130, 120, 2000), func() error { _, err := Frechet(wide, few); return err })
	resample := gaussianBytes(n, k) + gaussianBytes(m, k) + rootsBytes(n, m, k)
	check("its interval", once+FrechetIntervalBytes(n, m, k, threads)+(resamples-threads)*resample, func() error {
		_, err := FrechetInterval(a, b, bs, p)
		return err
	})

	sums := mmdBytes(n, m, threads) + memory.Array[float64](m) + tileBytes(threads)
	check("KID", sums, func() error { _, err := KID(a, b, KIDOptions{Level: 0.95}, p); return err })
	subsets := KIDBytes(300, 250, 900, 200, 1)
	x, y := standard(300, 900, 1), standard(250, 900, 2)
	check("KID of subsets", subsets+mmdBytes(300, 250, 1)+tileBytes(1), func() error {
		_, err := KID(x, y, KIDOptions{Level: 0.95, Subsets: 10, SubsetSize: 200}, nil)
		return err
	})
	median := memory.Array[float64](2*medianRows*(2*medianRows-1)/2) + memory.Array[int](n+m)
	check("RBF", median+memory.Array[float32](n+m, k)+sums, func() error { _, _, err := RBFMMD(a, b, 0.95, 1, p); return err })

	check("sliced", SlicedBytes(n, m, k, threads), func() error { _, err := SlicedWasserstein(a, b, directions, 1, p); return err })
	tallies := threads * (tallyBytes(n) + tallyBytes(m))
	check("its interval", SlicedIntervalBytes(n, m, k, directions, resamples, threads)+SlicedBytes(n, m, k, threads)+tallies, func() error {
		_, err := SlicedWassersteinInterval(a, b, directions, bs, p)
		return err
	})

	check("nearest", NearestBytes(n, m, threads), func() error { _, err := Nearest(a, b, p); return err })
	again := memory.Array[neighbour](m, 3) + neighbourBytes(3, threads) + tileBytes(threads) + threads*tallyBytes(n)
	check("precision and recall", OverlapBytes(n, m, 3, threads)+again, func() error { _, err := PrecisionRecall(a, b, 3, bs, p); return err })
}
