package metric

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
)

func asValues(f *Features) []float64 {
	out := make([]float64, len(f.X))
	for i, v := range f.X {
		out[i] = float64(v)
	}
	return out
}

// Over 400 sets of 60 values, intervals hold the truth in 95 %, up to 1.1 % (one standard error)
// and the bootstrap's own error at 60 values (some 1 % for means). Their width follows from the
// spread of the values: 2 z s/sqrt(n), and sqrt(pi/2) times that for medians.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const sets, n = 400, 60
	bs := Bootstrap{Resamples: 200, Level: 0.95}
	for name, c := range map[string]struct {
		interval func(values []float64, b Bootstrap, p *pool.Pool) (Estimate, error)
		width    float64
	}{"mean": {MeanInterval, 2 * 1.96 * 2 / math.Sqrt(n)},
		"median": {MedianInterval, 2 * 1.96 * 2 * math.Sqrt(math.Pi/2/n)}} {
		t.Run(name, func(t *testing.T) {
			held, width := 0, 0.0
			for i := range uint64(sets) {
				bs.Seed = i
				e := must[Estimate](t)(c.interval(asValues(normals(n, []float64{3}, []float64{2},
					i)), bs, nil))
				if e.Low <= 3 && 3 <= e.High {
					held++
				}
				width += (e.High - e.Low) / sets
			}
			if share := float64(held) / sets; share < 0.9 || share > 0.985 {
				t.Errorf("%.3f hold the truth, expected 0.95", share)
			}
			wantClose(t, "width over that of theory", width/c.width, 1, 0.06)
		})
	}
}

func TestIntervalValues(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	values := []float64{5, -1, 2, 8}
	mean, median := must[Estimate](t)(MeanInterval(values, DefaultBootstrap(1), p)),
		must[Estimate](t)(MedianInterval(values, DefaultBootstrap(1), p))
	if mean.Value != 3.5 || median.Value != 3.5 || mean.Low < -1 || mean.High > 8 ||
		mean.Bias != 0 {
		t.Errorf("mean %+v, median %+v", mean, median)
	}
	if odd := must[Estimate](t)(MedianInterval(values[:3], DefaultBootstrap(1),
		nil)); odd.Value != 2 {
		t.Errorf("median %+v, expected 2", odd)
	}
	if again := must[Estimate](t)(MeanInterval(values, DefaultBootstrap(1), nil)); again != mean {
		t.Errorf("%v alone, %v with three workers", again, mean)
	}
	one := must[Estimate](t)(MedianInterval([]float64{7}, DefaultBootstrap(1), nil))
	if one != (Estimate{Value: 7, Low: 7, High: 7}) {
		t.Errorf("one value gives %+v", one)
	}
}

// medianOf is the median of the resample's values written out.
func TestMedianOf(t *testing.T) {
	for n := 1; n < 9; n++ {
		sorted := asValues(standard(n, 1, uint64(n)))
		slices.Sort(sorted)
		for r := range 20 {
			counts := newTally(n).draw(1, 0, r)
			var all []float64
			for i, c := range counts {
				all = append(all, slices.Repeat([]float64{sorted[i]}, int(c))...)
			}
			if got, want := medianOf(sorted, counts), (all[(n-1)/2]+all[n/2])/2; got != want {
				t.Errorf("median of %v is %v, expected %v", all, got, want)
			}
		}
	}
}

func TestQuantile(t *testing.T) { // numpy.quantile([1, 2, 4, 8], q)
	for q, want := range map[float64]float64{0: 1, 0.1: 1.3, 0.5: 3, 0.9: 6.8, 1: 8} {
		wantClose(t, "quantile", quantile([]float64{1, 2, 4, 8}, q), want, 1e-12)
	}
}

// Wilson's interval solves |share - p| = z sqrt(p (1 - p)/n) for p.
func TestShareInterval(t *testing.T) {
	const z = 1.959963984540054
	for _, c := range []struct{ hits, n int }{{0, 10}, {3, 10}, {10, 10}, {70, 7000}, {1, 1}} {
		e := must[Estimate](t)(ShareInterval(c.hits, c.n, 0.95))
		share := float64(c.hits) / float64(c.n)
		if e.Value != share || e.Low > share || e.High < share {
			t.Errorf("%+v gives %+v", c, e)
		}
		for _, p := range []float64{e.Low, e.High} {
			wantClose(t, "distance from an end", math.Abs(share-p),
				z*math.Sqrt(p*(1-p)/float64(c.n)), 1e-9)
		}
		if e.Low == e.High {
			t.Errorf("%+v has no width", c)
		}
	}
}

func TestDrawsDiffer(t *testing.T) {
	seen := map[uint32]bool{}
	for _, d := range []purpose{drawDirections, drawSubsets, drawResamples, drawPairs,
		drawDistances} {
		for set := range 2 {
			for _, index := range []int{0, 1, maxDraws} {
				if key := d.key(5, set, index); seen[key.Step] || key.Seed != 5 ||
					key.Stream != 13 {
					t.Errorf("purpose %d, set %d, number %d: %+v", d, set, index, key)
				} else {
					seen[key.Step] = true
				}
			}
		}
	}
}
