package main

import (
	"math"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 9, 2}, 3},
	} {
		if got := median(c.x); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.x, got, c.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
	x := []float64{2, 1}
	if median(x); x[0] != 2 {
		t.Error("median sorted its argument")
	}
}

// TestRatio: the median of the rounds' ratios is not the ratio of the medians, here 2/20.
func TestRatio(t *testing.T) {
	a, b := []float64{1, 2, 30}, []float64{10, 40, 20}
	if got := ratio(a, b); got != 0.1 {
		t.Errorf("ratio = %v, want 0.1", got)
	}
	a[1] = 8
	if got := ratio(a, b); got != 0.2 {
		t.Errorf("ratio = %v, want 0.2 (of the round)", got)
	}
	if !math.IsNaN(ratio(a, nil)) {
		t.Error("a ratio to an absent side is a number")
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0.0534: "0.053", 1.234: "1.23", 45.67: "45.7", 123.4: "123",
	} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %s, want %s", x, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := results{
		sides: []*side{
			{name: "avx512", about: "none"},
			{name: cAVX512, about: "gcc 1"},
			{name: torch, absent: "no interpreter."},
			{name: goRand, about: "none"},
			{name: yardstick, about: "none"},
		},
		rounds: 3,
		rows: []row{
			{kernel: "langevin", n: cached, times: map[string][]float64{
				"avx512": {1, 1.5, 9}, cAVX512: {1, 1, 2}, goRand: {10, 10, 10},
			}},
			{kernel: "adam", n: large, bytes: 28, times: map[string][]float64{
				"avx512": {3, 3, 3}, yardstick: {1, 1, 1},
			}},
		},
		notes: map[string]bool{"adam: `by hand`": true},
	}
	text := r.markdown()
	for _, want := range []string{
		"; gcc 1. Nanoseconds per element on one core, medians of 3 interleaved rounds:",
		"| kernel | n | avx512 | C AVX-512 | PyTorch | Go rand |\n|---|---|---|---|---|---|\n",
		"| langevin | 16384 | 1.50 | 1.00 | absent | 10.0 |\n",
		"| adam | 2^24 | 3.00 |  | absent |  |\n",
		"\nPyTorch is absent: no interpreter.\n",
		"PyTorch ran adam: `by hand`.\n",
		"| langevin: avx512 / C AVX-512 | 16384 | 1.50 | at most 1.2 | no |\n",
		"| langevin: PyTorch / avx512 | 16384 | absent | at least 4.5 |  |\n",
		"| adam: PyTorch / avx512 | 2^24 | absent | at least 4 |  |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if best := r.best(); best == "avx512" { // only amd64 has that path
		const want = "| adam: avx512 / axpy, for a byte (28 of an element) | 2^24 | 1.29 | " +
			"at most 1.3 | yes |\n"
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Count(text, "none") > 0 {
		t.Errorf("a side without a version is named:\n%s", text)
	}
}

// TestFasterPyTorch: ratios to PyTorch are to its faster column.
func TestFasterPyTorch(t *testing.T) {
	w := row{times: map[string][]float64{torch: {2}, torchAVX512: {1}}}
	if got := w.of(torch); got[0] != 1 {
		t.Errorf("of(PyTorch) = %v, want the faster column", got)
	}
	w.times[torch] = []float64{0.5}
	if got := w.of(torch); got[0] != 0.5 {
		t.Errorf("of(PyTorch) = %v, want the faster column", got)
	}
	delete(w.times, torch)
	if got := w.of(torch); got[0] != 1 {
		t.Errorf("of(PyTorch) = %v, want the column that is there", got)
	}
}

func TestGoals(t *testing.T) {
	most, least := goal{atMost: true, limit: 1.2}, goal{limit: 4}
	for _, c := range []struct {
		g    goal
		x    float64
		want string
	}{
		{most, 1.2, "yes"}, {most, 1.21, "no"}, {least, 4, "yes"}, {least, 3.99, "no"},
		{most, math.NaN(), ""},
	} {
		if got := c.g.met(c.x); got != c.want {
			t.Errorf("%v of %q is met: %q, want %q", c.x, c.g.want(), got, c.want)
		}
	}
	r := results{rows: rows}
	for _, g := range goals {
		if r.find(g.kernel, g.n) == nil {
			t.Errorf("no row measures %s at %d", g.kernel, g.n)
		}
	}
}
