package metric

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
)

// New images from the distribution of the held-out ones are as near as they; copies are nearer.
func TestMemorise(t *testing.T) {
	const k = 10
	train, held, fresh := standard(400, k, 1), standard(1000, k, 2), standard(1000, k, 3)
	p := pool.New(2)
	defer p.Close()
	bs := DefaultBootstrap(1)
	m := must[*Memorisation](t)(Memorise(fresh, held, train, bs, p))
	for _, e := range []struct {
		share    Estimate
		expected float64
	}{{m.Nearer1, 0.01}, {m.Nearer5, 0.05}} {
		// Both the share and the quantile are from 1,000 rows; 4 standard errors.
		wantClose(t, "share of new images", e.share.Value, e.expected, 4*math.Sqrt(2*e.expected*(1-e.expected)/1000))
	}
	wantClose(t, "median of new images", m.MedianGenerated.Value, m.MedianHeldOut.Value, 0.03) // seen: 0.005
	if e := m.MedianGenerated; !(e.Low < e.Value && e.Value < e.High && e.High-e.Low < 0.05) {
		t.Errorf("median %+v", e)
	}
	copies := fresh.Take(upTo(1000))
	for i := range 300 {
		copy(copies.Row(i), train.Row(i))
	}
	m = must[*Memorisation](t)(Memorise(copies, held, train, bs, p))
	if m.Nearer1.Low < 0.25 || m.Nearer1.Value > 0.33 {
		t.Errorf("with 30 %% copies %+v are nearer than the nearest percentile", m.Nearer1)
	}
	for _, i := range m.Generated.Closest(300) {
		if i >= 300 || m.Generated.Index[i] != i || m.Generated.RMS[i] != 0 {
			t.Fatalf("row %d is among the closest, %v from row %d", i, m.Generated.RMS[i], m.Generated.Index[i])
		}
	}
	nearest, total := 0, 0
	for _, v := range m.HeldOut.RMS {
		total++
		if v < m.Quantile5 {
			nearest++
		}
	}
	if nearest != total/20 {
		t.Errorf("%d of %d held-out images are below their 5 %% quantile", nearest, total)
	}
}

func TestFloor(t *testing.T) {
	real := NewFeatures(make([]float32, 100), 100, 1)
	for i := range real.X {
		real.X[i] = float32(i)
	}
	for _, c := range []struct {
		n, m, wantN, wantM int
		reduced            bool
	}{{30, 50, 30, 50, false}, {50, 50, 50, 50, false}, {100, 100, 50, 50, true}, {300, 100, 75, 25, true}, {5000, 2, 98, 2, true}, {2, 99, 2, 98, true}} {
		seen := map[float32]int{}
		calls := 0
		var sums []float64
		got := must[FloorEstimate](t)(Floor(real, c.n, c.m, 3, 7, func(a, b *Features) (float64, error) {
			if calls++; a.N != c.wantN || b.N != c.wantM {
				t.Errorf("%+v: sets of %d and %d", c, a.N, b.N)
			}
			sum := 0.0
			for _, v := range append(append([]float32{}, a.X...), b.X...) {
				seen[v]++
				if seen[v] > calls {
					t.Errorf("%+v: %v is drawn twice", c, v)
				}
			}
			for _, v := range a.X {
				sum += float64(v)
			}
			sums = append(sums, sum)
			return sum, nil
		}))
		if got.N != c.wantN || got.M != c.wantM || got.Reduced != c.reduced || got.Repeats != 3 || calls != 3 {
			t.Errorf("%+v: %+v", c, got)
		}
		if sums[0] == sums[1] && sums[1] == sums[2] {
			t.Errorf("%+v: all repeats draw the same rows", c)
		}
		mean := (sums[0] + sums[1] + sums[2]) / 3
		wantClose(t, "mean", got.Mean, mean, 1e-9)
		variance := 0.0
		for _, s := range sums {
			variance += (s - mean) * (s - mean) / 2
		}
		wantClose(t, "standard deviation", got.StdDev, math.Sqrt(variance), 1e-9)
	}
}
