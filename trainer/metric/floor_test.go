package metric

import (
	"math"
	"testing"
)

func TestFloor(t *testing.T) {
	real := NewFeatures(make([]float32, 100), 100, 1)
	for i := range real.X {
		real.X[i] = float32(i)
	}
	for _, c := range []struct {
		n, m, wantN, wantM int
		reduced            bool
	}{{30, 50, 30, 50, false}, {50, 50, 50, 50, false}, {100, 100, 50, 50, true},
		{300, 100, 75, 25, true}, {5000, 2, 98, 2, true}, {2, 99, 2, 98, true}} {
		seen := map[float32]int{}
		calls := 0
		var sums []float64
		got := must[FloorEstimate](t)(Floor(real, c.n, c.m, 3, 7, func(a, b *Features) (float64,
			error) {
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
		if got.N != c.wantN || got.M != c.wantM || got.Reduced != c.reduced || got.Repeats != 3 ||
			calls != 3 {
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
