package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/machine"
)

// times are those of runs by names of benchmarks, in nanoseconds.
type times map[string][]float64

// side returns the results of such runs.
func side(t *testing.T, runs times) *results {
	t.Helper()
	var text strings.Builder
	fmt.Fprintln(&text, "commit: 1234567\ngoos: linux")
	for name, list := range runs {
		for _, ns := range list {
			const line = "Benchmark%s-2 \t 100\t %.6g ns/op\t %.6g GFLOP/s\t 0 allocs/op\n"
			fmt.Fprintf(&text, line, name, ns, 1e9/ns)
		}
	}
	r, err := read(strings.NewReader(text.String()), "side.txt")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// jitter returns n times around factor times 1 ms, with a relative spread.
func jitter(n int, factor, spread float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		// Multiples of the golden ratio fill an interval evenly, in no order.
		_, u := math.Modf(float64(i+1) * 0.6180339887)
		list[i] = 1e6 * factor * (1 + spread*(u-0.5))
	}
	return list
}

func TestVerdict(t *testing.T) {
	quiet := jitter(10, 1, 0.02)
	noisy := jitter(10, 1, 0.6)
	equal := slices.Repeat([]float64{1e6}, 10)
	for _, c := range []struct {
		what           string
		base, head     []float64
		slower, faster bool
		noisy          bool
	}{
		{"20 % slower", quiet, jitter(10, 1.2, 0.02), true, false, false},
		{
			"1 % slower, and significant",
			jitter(10, 1, 0.001), jitter(10, 1.01, 0.001), false, false, false,
		},
		{"6 % slower in noise", noisy, jitter(10, 1.06, 0.6), false, false, true},
		{"20 % faster", quiet, jitter(10, 0.8, 0.02), false, true, false},
		{"the same", quiet, quiet, false, false, false},
		{"all times equal", equal, equal, false, false, false},
		{"twice as slow, 10 runs against 2", quiet, jitter(2, 2, 0.02), true, false, false},
	} {
		base := side(t, times{"X": c.base, "Y": quiet})
		head := side(t, times{"X": c.head, "Y": quiet})
		got := judge(base, head, 0.05)
		red, err := got.verdict()
		slower, faster, noisy := len(got.slower) > 0, len(got.faster) > 0, len(got.noisy) > 0
		if err != nil || red != c.slower || slower != c.slower || faster != c.faster ||
			noisy != c.noisy || got.compared != 2 {
			t.Errorf("%s: red %v, %v; slower %v, faster %v, noisy %v",
				c.what, red, err, got.slower, got.faster, got.noisy)
		}
		for _, ch := range append(got.slower, got.faster...) {
			if ch.name != "X-2" || ch.unit != "sec/op" {
				t.Errorf("%s: names %s in %s", c.what, ch.name, ch.unit)
			}
		}
	}
}

// TestRate: a rate that fell is red even if the time of an operation did not change, and other
// units are not judged.
func TestRate(t *testing.T) {
	file := func(rate float64, unit string) *results {
		var text strings.Builder
		for i := range 10 {
			fmt.Fprintf(&text, "BenchmarkX 1 1000 ns/op %v %s\n", rate*(1+0.001*float64(i)), unit)
		}
		r, err := read(strings.NewReader(text.String()), "rate.txt")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		unit string
		head float64
		red  bool
	}{
		{"rows/s", 80, true}, {"rows/s", 120, false}, {"MB/s", 80, true},
		{"%peak", 80, false}, {"allocs/op", 120, false},
	} {
		got := judge(file(100, c.unit), file(c.head, c.unit), 0.05)
		if red, err := got.verdict(); err != nil || red != c.red {
			t.Errorf("%s from 100 to %v: red %v, %v", c.unit, c.head, red, err)
		}
	}
}

// TestMissing: benchmarks of one side are named and do not count.
func TestMissing(t *testing.T) {
	x := jitter(10, 1, 0.02)
	got := judge(side(t, times{"Gone": x, "Both": x}), side(t, times{"Both": x, "New": x}), 0.05)
	if got.compared != 1 || !slices.Equal(got.onlyBase, []string{"Gone-2"}) ||
		!slices.Equal(got.onlyHead, []string{"New-2"}) {
		t.Errorf("%+v", got)
	}
	var text strings.Builder
	got.print(&text)
	for _, want := range []string{
		"only in the base: Gone-2\n", "only here: New-2\n",
		"1 compared: 0 slower and 0 faster by more than 5 %",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q lacks %q", text.String(), want)
		}
	}
	nothing := judge(side(t, times{"A": x}), side(t, times{"B": x}), 0.05)
	if _, err := nothing.verdict(); err == nil {
		t.Error("a verdict on nothing")
	}
}

// TestTooFewRuns: there is no verdict if no outcome could be significant.
func TestTooFewRuns(t *testing.T) {
	for _, c := range []struct {
		base, head int
		enough     bool
	}{
		{1, 1, false}, {1, 10, false}, {3, 3, false},
		{1, 40, true}, {2, 10, true}, {4, 4, true}, {10, 10, true},
	} {
		base := side(t, times{"X": jitter(c.base, 1, 0.02)})
		head := side(t, times{"X": jitter(c.head, 3, 0.02)})
		got := judge(base, head, 0.05)
		if red, err := got.verdict(); (err == nil) != c.enough || red != c.enough {
			t.Errorf("%d and %d runs, three times as slow: red %v, %v", c.base, c.head, red, err)
		}
	}
}

func TestReport(t *testing.T) {
	base := side(t, times{"Step/shape=S": jitter(10, 1, 0)})
	head := side(t, times{"Step/shape=S": jitter(10, 1.5, 0)})
	got := judge(base, head, 0.05)
	var text strings.Builder
	got.print(&text)
	const want = "SLOWER: Step/shape=S-2: 1.500m sec/op, was 1.000m (time +50.0 %, p=0.000 n=10)"
	if !strings.Contains(text.String(), want) {
		t.Errorf("%q lacks %q", text.String(), want)
	}
}

func TestRead(t *testing.T) {
	for what, text := range map[string]string{
		"no results":     "goos: linux\nPASS\n",
		"a damaged line": "BenchmarkX 1 x ns/op\n",
	} {
		_, err := read(strings.NewReader(text), "file.txt")
		if err == nil || !strings.Contains(err.Error(), "file.txt") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestMachines: files of another CPU or other kernels, or without a description, are refused, and
// other differences are listed.
func TestMachines(t *testing.T) {
	here := machine.Describe()
	file := func(cpu, kernels, library, peak string) *results {
		text := fmt.Sprintf("%s: %s\n%s: %s\nblas: %s\n%s: %s\nBenchmarkX 1 1 ns/op\n",
			machine.KeyCPU, cpu, machine.KeyKernels, kernels, library, machine.KeyPeak, peak)
		r, err := read(strings.NewReader(text), "file.txt")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	same := file(here.CPU, here.Kernels, "a", "100 GFLOP/s")
	if err := same.sameMachine(); err != nil {
		t.Error(err)
	}
	for _, other := range []*results{
		file("Z80", here.Kernels, "a", "1 FLOP/s"),
		file(here.CPU, "abacus", "a", "1 FLOP/s"),
		side(t, times{"X": {1}}),
	} {
		if other.sameMachine() == nil {
			t.Errorf("%v: not refused", other.config)
		}
	}
	for _, c := range []struct {
		blas, peak string
		warnings   int
	}{
		{"a", "104 GFLOP/s", 0}, {"a", "90 GFLOP/s", 1},
		{"b", "100 GFLOP/s", 1}, {"b", "0.11 TFLOP/s", 2},
	} {
		list := same.differs(file(here.CPU, here.Kernels, c.blas, c.peak), 0.05)
		if len(list) != c.warnings {
			t.Errorf("%s, %s: warnings %q, want %d", c.blas, c.peak, list, c.warnings)
		}
	}
	got := same.ignored(file(here.CPU, here.Kernels, "b", "2 FLOP/s"))
	if !slices.Equal(got, []string{"blas", machine.KeyPeak}) {
		t.Errorf("benchstat would ignore %q", got)
	}
}

// TestBaselines: every recorded baseline can be read, and has the name that diff looks for.
func TestBaselines(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "baseline", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		r, err := readFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		d := machine.Description{
			CPU: r.config[machine.KeyCPU], Kernels: r.config[machine.KeyKernels],
		}
		if want := d.Name() + ".txt"; filepath.Base(file) != want {
			t.Errorf("%s: of %s with kernels %s: its name should be %s",
				file, d.CPU, d.Kernels, want)
		}
		if few := judge(r, r, 0.05).tooFew; len(few) > 0 {
			t.Errorf("%s: too few runs of %d benchmarks", file, len(few))
		}
	}
}
