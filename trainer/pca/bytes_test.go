package pca

import (
	"math"
	"runtime"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// allocated returns how many bytes f allocates, including those that are garbage at once.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestBytes(t *testing.T) {
	const dim, k = 30, 7
	p := mustFit(t, array{reference.Uniform(100*dim, 1), dim}, dim, k)
	if got, want := reference.ArrayBytes([]any{p.mean, p.variances, p.components.RawMatrix().Data}),
		Bytes(dim, k); got != want {
		t.Errorf("a PCA of %d bytes, the formula says %d", got, want)
	}
}

// The formulas agree with what a fit and a distance allocate, within 5 % (0.7 to 3 % seen): small
// allocations are left out.
func TestReportBytes(t *testing.T) {
	const k = 20
	if blas.Default().Name() == "gonum" { // whose products allocate
		t.Cleanup(func() { _ = blas.Use("gonum") })
		if err := blas.Use("native"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ m, dim int }{
		{1100, 300}, {1200, 600}, {300, 200}, {90, 2000}, {160, 70000}, {600, 3000},
	} {
		set := array{reference.Uniform(c.m*c.dim, 1), c.dim}
		p := mustFit(t, set, c.dim, k) // the products' own blocks stay with the process
		mustDistance(t, p, set)
		fit := allocated(func() { p = mustFit(t, set, c.dim, k) })
		within(t, "a fit", fit, FitBytes(c.m, c.dim, k)+Bytes(c.dim, k))
		features := allocated(func() {
			if _, err := p.Features(t.Context(), set, nil); err != nil {
				t.Error(err)
			}
		})
		within(t, "features", features, FeatureBytes(c.m, c.dim, k))
		distance := func() { mustDistance(t, p, set) }
		// A collection empties the pools in which gonum keeps its scratch memory.
		least := min(allocated(distance), allocated(distance), allocated(distance))
		within(t, "a distance", least, DistanceBytes(c.m, c.dim, k))
	}
}

// A counting arena counts the bytes of a fit, whichever way it takes.
func TestFitArena(t *testing.T) {
	const k = 20
	for _, c := range []struct{ m, dim int }{{1100, 300}, {300, 200}, {90, 2000}, {600, 3000}} {
		made, counted := &memory.Arena{}, memory.Counting()
		newFit(made, c.m, c.dim, k, nil)
		newFit(counted, c.m, c.dim, k, nil)
		if made.Total() != counted.Total() || counted.Total() < memory.Array[float32](c.dim, k) {
			t.Errorf("%d images of %d values: %d bytes made, %d counted",
				c.m, c.dim, made.Total(), counted.Total())
		}
	}
}

func within(t *testing.T, what string, got, want int64) {
	t.Helper()
	if ratio := float64(got) / float64(want); math.Abs(ratio-1) > 0.05 {
		t.Errorf("%s allocates %d bytes, the formula says %d", what, got, want)
	}
}
