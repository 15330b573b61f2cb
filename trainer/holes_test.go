package trainer

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/pool"
)

// Samples of the very distribution of the training rows, of whose cells half are missing, are as
// near to them as other such rows with holes are, and without holes far away.
func TestDistanceWithHoles(t *testing.T) {
	const m, d = 2000, 6
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(gaps bool) data.Table {
		rows := data.Table{D: d}
		for range m {
			shared := r.NormFloat64()
			for range d {
				v, gap := float32(shared+0.5*r.NormFloat64()), gaps && r.Float64() < 0.5
				if gap {
					v = 0
				}
				rows.X, rows.Missing = append(rows.X, v), append(rows.Missing, gap)
			}
		}
		return rows
	}
	train, others, samples := draw(true), draw(true), draw(false)
	workers := pool.New(1)
	defer workers.Close()
	fitted, err := pca.Fit(t.Context(), train, d, d, pca.Options{Pool: workers})
	if err != nil {
		t.Fatal(err)
	}
	distance := func(rows data.Rows) float64 {
		fd, err := fitted.Distance(t.Context(), rows, workers)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	floor, whole := distance(others), distance(samples)
	got := distance(data.Holed(samples, train, 3))
	if got > 3*floor || whole < 30*floor {
		t.Errorf("distance %.4f with holes, %.4f without, of other rows %.4f", got, whole, floor)
	}
}

// The samples whose distance a report measures have the holes of training rows, and those of the
// pictures have none.
func TestMeasuredSamplesHaveHoles(t *testing.T) {
	c := smallRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(t.TempDir(), "x.csv"), 0, 10
	writeTable(t, c.Data)
	tr, err := New(t.Context(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	g := tr.method.Generator(true)
	s := tr.newSamples(g)
	for i := range s.z {
		s.z[i] = float32(math.Sin(float64(i)))
	}
	n, d := c.EvalSamples, g.Dim()
	whole, holed := make([]float32, n*d), make([]float32, n*d)
	tr.drawn(g, s).Gather(whole, data.Range(0, n))
	tr.measured(g, s).Gather(holed, data.Range(0, n))
	holes := 0
	for i, v := range holed {
		if v != whole[i] {
			holes++
			if v != 0 {
				t.Fatalf("number %d of a sample is %v, and was %v", i, v, whole[i])
			}
		}
	}
	expected := (1 - data.MissingOf(tr.data.train).Known()/float64(d)) * float64(n*d)
	if holes == 0 || float64(holes) > 1.5*expected {
		t.Errorf("%d holes, expected about %.0f", holes, expected)
	}
}
