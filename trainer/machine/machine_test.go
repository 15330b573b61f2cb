package machine

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
)

// tiny is as brief as possible: the rates exist but mean nothing.
var tiny = Options{Rounds: 1, Round: time.Microsecond, Memory: 1 << 16}

// clock is advanced by the measured work.
type clock struct {
	mu  sync.Mutex
	at  time.Time
	ran []int // times of each call
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// work does 3 units a millisecond; the calls that slow lists take twice as long.
func (c *clock) work(slow ...int) work {
	return func(times int) float64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		took := time.Duration(times) * time.Millisecond
		if slices.Contains(slow, len(c.ran)) {
			took *= 2
		}
		c.at = c.at.Add(took)
		c.ran = append(c.ran, times)
		return 3 * float64(times)
	}
}

func fake(ctx context.Context, c *clock) *meter {
	return &meter{ctx, Options{Rounds: 3, Round: 4 * time.Millisecond}, c.now}
}

// TestBest: the number of times doubles until a round is long enough, the best of the rounds that
// count wins, and the amounts of all workers add up. The clock adds their times, as on one core.
func TestBest(t *testing.T) {
	var c clock
	rate, err := fake(t.Context(), &c).best([]work{c.work(2, 4)})
	if want := []int{1, 2, 4, 4, 4}; !slices.Equal(c.ran, want) {
		t.Errorf("ran %v times, want %v", c.ran, want)
	}
	if err != nil || rate != 3000 {
		t.Errorf("rate %v, %v, want 3000 in a second", rate, err)
	}
	c = clock{}
	rate, err = fake(t.Context(), &c).best([]work{c.work(), c.work(), c.work()})
	if want := []int{1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2}; !slices.Equal(c.ran, want) {
		t.Errorf("three workers ran %v times, want %v", c.ran, want)
	}
	if err != nil || rate != 3000 {
		t.Errorf("rate of three %v, %v, want 3000 in a second", rate, err)
	}
}

// TestLongCall: calls longer than all rounds together are measured once.
func TestLongCall(t *testing.T) {
	var c clock
	m := fake(t.Context(), &c)
	m.Round = time.Microsecond
	rate, err := m.best([]work{c.work()})
	if len(c.ran) != 1 || err != nil || rate != 3000 {
		t.Errorf("%d calls, rate %v, %v, want 1 call and 3000", len(c.ran), rate, err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var c clock
	calls := 0
	_, err := fake(ctx, &c).best([]work{func(times int) float64 {
		if calls++; calls == 4 {
			cancel()
		}
		return c.work()(times)
	}})
	if !errors.Is(err, context.Canceled) || calls != 4 {
		t.Errorf("after %d calls %v, want %v after 4", calls, err, context.Canceled)
	}
	if r, err := Measure(ctx, tiny); !errors.Is(err, context.Canceled) || r.FMA.One != 0 {
		t.Errorf("%+v, %v, want nothing and %v", r, err, context.Canceled)
	}
}

// TestMeasure: every rate is measured, for all workers.
func TestMeasure(t *testing.T) {
	defer func(s []int) { sizes = s }(sizes)
	sizes = []int{8, 12}
	m := newMeter(t.Context(), tiny)
	r, err := m.all(2)
	if err != nil {
		t.Fatal(err)
	}
	if r.Workers != 2 {
		t.Errorf("%d workers, want 2", r.Workers)
	}
	var gemms []string
	for i, g := range r.Gemm {
		checkRate(t, g.Backend, g.Rate)
		if g.N != sizes[i%2] {
			t.Errorf("product %d has size %d", i, g.N)
		}
		gemms = append(gemms, g.Backend)
	}
	want := blas.Available()
	if !slices.Equal(slices.Compact(slices.Clone(gemms)), want) || len(gemms) != 2*len(want) {
		t.Errorf("products of %q, want two of each of %q", gemms, want)
	}
	checkRate(t, "FMA", r.FMA)
	checkRate(t, "memory", r.Memory)
	checkRate(t, "normals", r.Normals)
}

// TestDefaultStays: the default backend never changes, not even meanwhile.
func TestDefaultStays(t *testing.T) {
	defer func(s []int) { sizes = s }(sizes)
	sizes = []int{8}
	before := blas.Default()
	var done atomic.Bool
	var watch sync.WaitGroup
	watch.Go(func() {
		for !done.Load() {
			if now := blas.Default(); now != before {
				t.Errorf("the default is %s, not %s", now.Name(), before.Name())
				return
			}
		}
	})
	Describe()
	if _, err := newMeter(t.Context(), tiny).all(2); err != nil {
		t.Error(err)
	}
	done.Store(true)
	watch.Wait()
}

func checkRate(t *testing.T, what string, r Rate) {
	t.Helper()
	for _, v := range []float64{r.One, r.All} {
		if !(v > 0) || math.IsInf(v, 0) {
			t.Errorf("%s: rate %v", what, r)
		}
	}
}

// TestAmounts compares the amounts of work with counts from its results.
func TestAmounts(t *testing.T) {
	round := float64(kernel.Peak(1)) // held to the listing of its loop by package kernel's tests
	one, five := multiplyAdds()(1), multiplyAdds()(5)
	if round < 2 || one != peakRounds*round || five != 5*one {
		t.Errorf("multiply-adds: %v operations, five times %v; a round has %v", one, five, round)
	}

	if got, want := peak(kernel.DefinedBF16().Peak)(3), 3.0*peakRounds*2; got != want {
		t.Errorf("a product in bf16 of two operations: %v operations, want %v", got, want)
	}

	// Every element of y grew by 1e-6 each time, from 0.
	x, y := []float32{1, 1, 1, 1, 1, 1, 1}, make([]float32, 7)
	if bytes := axpy(y, x)(2); bytes != 2*7*(4+4+4) || math.Abs(float64(y[6])-2e-6) > 1e-12 {
		t.Errorf("axpy of 7 elements, twice: %v bytes, y = %v", bytes, y[6])
	}
	if got, want := normals()(3), 3.0*normalsAtOnce; got != want {
		t.Errorf("%v normals, want %v", got, want)
	}
	want := 0 // operations of the triple loop
	for range 5 {
		for range 5 {
			for range 5 {
				want += 2
			}
		}
	}
	if got := product(blas.Default(), 5)(3); got != float64(3*want) {
		t.Errorf("products: %v operations, want %v", got, 3*want)
	}
}

func TestModelAndName(t *testing.T) {
	for _, c := range []struct {
		brand          string
		family, number int
		model, name    string
	}{
		{
			"AMD EPYC ", 25, 17,
			"AMD EPYC, family 25, model 17",
			"amd-epyc-family-25-model-17-avx512",
		},
		{
			"Intel(R) Xeon(R) CPU @ 2.20GHz", 6, 85,
			"Intel(R) Xeon(R) CPU @ 2.20GHz, family 6, model 85",
			"intel-xeon-cpu-2-20ghz-family-6-model-85-avx512",
		},
		{"Neoverse-N1", 0, 0, "Neoverse-N1", "neoverse-n1-avx512"},
	} {
		d := Description{CPU: model(c.brand, c.family, c.number), Kernels: "avx512"}
		if d.CPU != c.model || d.Name() != c.name {
			t.Errorf("%q: %q, %q", c.brand, d.CPU, d.Name())
		}
	}
	if model("", 0, 0) == "" {
		t.Error("a CPU without a brand has no name")
	}
}

// TestConfig: tools for the Go benchmark format can read the lines.
func TestConfig(t *testing.T) {
	var b bytes.Buffer
	d := Describe()
	if err := d.WriteConfig(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(b.String(), "\n")
	b.WriteString("BenchmarkX 1 1 ns/op\n")
	r := benchfmt.NewReader(&b, "test")
	if !r.Scan() {
		t.Fatalf("no result: %v", r.Err())
	}
	got, ok := r.Result().(*benchfmt.Result)
	if !ok || len(got.Config) != lines {
		t.Fatalf("%v: read %d of %d lines", r.Result(), len(got.Config), lines)
	}
	if got.GetConfig(KeyCPU) != d.CPU || got.GetConfig(KeyKernels) != kernel.Info().Path {
		t.Errorf("config %v", got.Config)
	}
	for _, name := range blas.Available() {
		if !strings.Contains(got.GetConfig("blas"), name+" (") {
			t.Errorf("blas: %s lacks %s", got.GetConfig("blas"), name)
		}
	}
}
