package evaluate

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// numbered returns n features of one number each: first, first + 1, ...
func numbered(first, n int) *metric.Features {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(first + i)
	}
	return metric.NewFeatures(x, n, 1)
}

// The floor's sets hold real images once each: held-out ones (from 100 on) first, and training
// images (from 0 on) on one side only.
func TestFloorSets(t *testing.T) {
	for _, c := range []struct{ held, n, filled int }{
		{10, 6, 0}, {10, 10, 0}, {10, 25, 15}, {0, 20, 20}, {10, 30, 20},
	} {
		s := sets{reference: numbered(0, 40)}
		var held *metric.Features
		if c.held > 0 {
			held = numbered(100, c.held)
		}
		s.floor(held, c.n, 7)
		if s.filled != c.filled || s.real.N != c.n || s.reference.N != 40-c.filled {
			t.Errorf("%+v: %d of %d filled, %d left", c, s.filled, s.real.N, s.reference.N)
		}
		heldOut := 0
		for _, v := range s.real.X {
			if v >= 100 {
				heldOut++
			}
		}
		all := append(slices.Clone(s.real.X), s.reference.X...)
		slices.Sort(all)
		if len(slices.Compact(all)) != s.real.N+s.reference.N || heldOut != c.n-c.filled {
			t.Errorf("%+v: %v, %d held out", c, all, heldOut)
		}
	}
	s := sets{reference: numbered(0, 40)}
	if s.floor(numbered(100, 10), 31, 7); s.real != nil || s.filled != 0 {
		t.Errorf("a floor from %d images", s.real.N)
	}
}

// The training image nearest to a training image is itself, also where that is a mirror image. A
// sample that copies one is suspiciously near.
func TestNearest(t *testing.T) {
	ds, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := pool.New(2)
	defer p.Close()
	some := data.Subset(ds, data.Range(0, 500))
	points, err := data.Flipped(some)
	if err != nil {
		t.Fatal(err)
	}
	e := &evaluation{
		Options: Options{Seed: 1},
		subject: &subject{own: run.Data{Train: some, Points: points}, pool: p},
		ctx:     t.Context(),
		doing:   &progress.Task{},
		report:  &Report{},
	}
	query, err := metric.Values(t.Context(), data.Subset(points, []int{0, 501, 2}), 64, true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.nearest(query)
	if err != nil || !slices.Equal(got.Index, []int{0, 501, 2}) || slices.Max(got.RMS) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	held := &metric.Neighbours{Index: make([]int, 200), RMS: make([]float64, 200)}
	for i := range held.RMS {
		held.RMS[i] = 1 + float64(i)
	}
	// The nearest 2 of 200 are below 3.
	samples := &metric.Neighbours{Index: make([]int, 4), RMS: []float64{0, 2.5, 3.5, 500}}
	if err := e.reportNearest(samples, held); err != nil {
		t.Fatal(err)
	}
	if m, _ := e.report.Metric("nearer_1"); m.Value != 0.5 || m.Floor != 0.01 {
		t.Errorf("%+v", m)
	}
	if m, _ := e.report.Metric("nearest_rms"); m.Value != 3 || m.Floor != 100.5 {
		t.Errorf("%+v", m)
	}
}

// Features from files: shifting all K numbers by c gives a Fréchet distance of K c^2.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	const n, k, shift = 200, 5, 3
	x := make([]float32, n*k)
	for i := range x {
		x[i] = float32(math.Sin(float64(i * i)))
	}
	write := func(name string, n, k int) string {
		path := filepath.Join(dir, name)
		if err := npy.WriteFile(path, x[:n*k], n, k); err != nil {
			t.Fatal(err)
		}
		return path
	}
	real := write("real.npy", n, k)
	for i := range x {
		x[i] += shift
	}
	r, err := Foreign(t.Context(), write("gen.npy", n/2, k), real, Options{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := r.Metric("fd")
	// Half of the real features are compared with all, so that the covariances differ a little.
	if math.Abs(float64(m.Value)-k*shift*shift) > 1 || !(m.Low < m.Value && m.Value < m.High) ||
		!(m.Floor < 1) {
		t.Errorf("%+v", m)
	}
	if m, ok := r.Metric("kid"); !ok || !(m.Value > m.Floor) ||
		!strings.Contains(m.Note, "mean over 100 subsets of 100") {
		t.Errorf("%+v", m)
	}
	// With as many generated as real features, the floor can only compare halves.
	r, err = Foreign(t.Context(), write("many.npy", n, k), real, Options{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := r.Metric("fd"); !(m.Floor < 1) ||
		!strings.Contains(m.Note, "into 100 and 100, too few for the floor") {
		t.Errorf("%+v", m)
	}
	_, err = Foreign(t.Context(), write("narrow.npy", n, k-1), real, Options{})
	if err == nil || !strings.Contains(err.Error(), "narrow.npy has features of 4 numbers") {
		t.Errorf("features of another width: %v", err)
	}
	if _, err := Foreign(t.Context(), filepath.Join(dir, "none.npy"), real, Options{}); err == nil {
		t.Error("no error for a missing file")
	}
}

func TestMetricJSON(t *testing.T) {
	m := Metric{
		Name: "a", Key: "b", Group: PCA, Value: 1.5, Low: record.Number(math.NaN()),
		High: record.Number(math.Inf(1)), Floor: 0.25, Better: Lower, Unit: "nats", Note: "n",
	}
	out, err := json.Marshal(m)
	want := `{"key":"b","name":"a","group":"pca","value":1.5,"low":null,"high":null,` +
		`"floor":0.25,"better":"lower","unit":"nats","note":"n"}`
	if err != nil || string(out) != want {
		t.Fatalf("%s, %v; expected %s", out, err, want)
	}
	var back Metric
	if err := json.Unmarshal(out, &back); err != nil || !math.IsNaN(float64(back.Low)) ||
		!math.IsNaN(float64(back.High)) {
		t.Fatalf("%+v, %v", back, err)
	}
	if back.Low, back.High = 0, 0; back != (Metric{
		Name: "a", Key: "b", Group: PCA, Value: 1.5, Floor: 0.25, Better: Lower, Unit: "nats",
		Note: "n",
	}) {
		t.Errorf("%+v", back)
	}
}
