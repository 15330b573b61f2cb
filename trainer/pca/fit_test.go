package pca

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// Fit chooses the way with the fewest passes, and finds no more components than there are.
func TestWaysOfPCA(t *testing.T) {
	for _, c := range []struct{ m, dim, k, passes int }{
		{40, 5000, 39, 5},   // Gram: mean, variance, products, components, check
		{5, 400, 4, 5},      // fewer images than components
		{600, 100, 64, 3},   // covariance
		{2, 70000, 1, 5},    // one block of a few large images
		{140, 70000, 64, 5}, // several blocks
	} {
		a, passes := rolling(c.m, c.dim, 1), 0
		p, err := Fit(t.Context(), a, c.dim, 64, Options{Pass: func(n int) { passes = n }})
		if err != nil || p.K() != c.k || passes != c.passes || !p.Converged() {
			t.Errorf("%+v: %d components after %d passes, %v", c, p.K(), passes, err)
		}
		wantOrthonormal(t, p)
	}
}

// The bits are the same with any number of workers and without a pool.
func TestPCAOnWorkers(t *testing.T) {
	a := rolling(700, 1500, 1)
	few := rolling(100, 1500, 2)
	small := rolling(700, 200, 3)
	for name, set := range map[string]array{"krylov": a, "gram": few, "covariance": small} {
		alone := mustFit(t, set, set.dim, 64)
		distance := mustDistance(t, alone, set)
		for _, workers := range []int{1, 2, 3, 8} {
			p := pool.New(workers)
			found, err := Fit(t.Context(), set, set.dim, 64, Options{Pool: p})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(found.variances, alone.variances) || !slices.Equal(found.mean,
				alone.mean) || found.total != alone.total ||
				found.residual != alone.residual ||
				!slices.Equal(found.components.RawMatrix().Data,
					alone.components.RawMatrix().Data) {
				t.Errorf("%s: %d workers find other bits", name, workers)
			}
			if got, err := found.Distance(t.Context(), set, p); err != nil || got != distance {
				t.Errorf("%s: FD %v with %d workers, %v without; %v", name, got, workers, distance,
					err)
			}
			p.Close()
		}
	}
}

// counted counts the images that have been gathered.
type counted struct {
	array
	seen int
	each func()
}

func (c *counted) Gather(dst []float32, idx []int) {
	c.seen += len(idx)
	c.each()
	c.array.Gather(dst, idx)
}

// When ctx ends in a pass, no other pass begins.
func TestPCAEnds(t *testing.T) {
	for name, a := range map[string]array{"krylov": rolling(600, 1500, 1),
		"gram": rolling(100, 1500, 2), "covariance": rolling(600, 100, 3)} {
		for last := 1; last <= 3; last++ {
			ctx, end := context.WithCancel(t.Context())
			passes := 0
			_, err := Fit(ctx, a, a.dim, 64, Options{Pass: func(n int) {
				if passes = n; n == last {
					end()
				}
			}})
			if !errors.Is(err, context.Canceled) || passes != last {
				t.Errorf("%s, ended in pass %d: %d passes, %v", name, last, passes, err)
			}
			end()
		}
	}
	// four blocks; the first is read to its end
	long := &counted{array: rolling(4*blockRows, 50, 1)}
	ctx, stop := context.WithCancel(t.Context())
	long.each = stop
	if _, err := Fit(ctx, long, 50, 4, Options{}); !errors.Is(err, context.Canceled) ||
		long.seen != blockRows {
		t.Errorf("%d images were read after the end: %v", long.seen, err)
	}
	p := mustFit(t, rolling(600, 100, 1), 100, 64)
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := p.Distance(ended, rolling(600, 100, 1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("distance: %v", err)
	}
}

// A search that is cut short reports the residual of what it found.
func TestPCACutShort(t *testing.T) {
	a := array{reference.Uniform(900*600, 1), 600}
	x := imagesOf(t, a, Options{})
	if err := x.center(); err != nil {
		t.Fatal(err)
	}
	x.most = 4
	p, err := newKrylov(nil, x, 20).find()
	if err != nil {
		t.Fatal(err)
	}
	wantOrthonormal(t, p)
	if p.Converged() || !(p.Residual() > 1e-3 && p.Residual() < 1) {
		t.Errorf("residual %.2g after 2 steps on a flat spectrum", p.Residual())
	}
	if whole := mustFit(t, a, a.dim, 20); !(p.FractionOfVariance() < whole.FractionOfVariance()) {
		t.Error("as good as the whole search")
	}
}

// An error names the image whose values are not finite.
func TestPCANamesValues(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		a := rolling(600, 300, 1)
		a.rows[550*300+7] = float32(value)
		_, err := Fit(t.Context(), a, 300, 64, Options{})
		wantError(t, err, "not finite", "image 550")
	}
	_, err := Fit(t.Context(), array{make([]float32, 3*5000), 5000}, 5000, 64, Options{})
	wantError(t, err, "3 equal images")
}
