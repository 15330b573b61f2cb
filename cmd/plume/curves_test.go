package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A curve is drawn where its points lie, not as if they were evenly spaced; between points it is a
// line, and it has no value before the first and after the last.
func TestCurveSampled(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		x, y, want []float64
		lo, hi     float64
	}{
		"between points": {[]float64{0, 1, 5}, []float64{8, 6, 2},
			[]float64{8, 6, 5, 4, 3, 2}, 0, 5},
		"beyond": {[]float64{2, 3}, []float64{1, 2},
			[]float64{nan, nan, 1, 2, nan, nan}, 0, 5},
		"several a place": {[]float64{0, 0.1, 0.2, 5}, []float64{1, 2, 3, 7},
			[]float64{2, 3, 4, 5, 6, 7}, 0, 5},
		"one": {[]float64{9}, []float64{4}, []float64{4, nan, nan, nan, nan, nan}, 9, 10},
	} {
		got := curve{X: c.x, Y: c.y}.sampled(c.lo, c.hi, 6)
		same := cmp.Comparer(func(a, b float64) bool {
			return math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b)
		})
		if diff := cmp.Diff(c.want, got, same); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// On a logarithmic axis labels are the values themselves, and only positive ones are drawn.
func TestCurveLogarithmic(t *testing.T) {
	c := &curvesCommand{by: "time", log: true, height: 4, width: 60}
	falling := curve{Run: "a", Column: "recon_mse", X: []float64{0, 30, 3600},
		Y: []float64{100, -1, 0.01}}
	text, err := c.draw([]curve{falling}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"recon_mse by time, logarithmic   a\n", " 100 ┼", "   1 ┤", "0.01 ┤", "1h0m0s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if _, err := c.draw([]curve{{X: []float64{1}, Y: []float64{-1}}}, true); err == nil {
		t.Error("drew what has no logarithm")
	}
}

// Curves of several runs have colours, or letters where there are none.
func TestCurveStyles(t *testing.T) {
	c := &curvesCommand{by: "step", height: 4}
	two := []curve{
		{Run: "x/a", X: []float64{0, 9}, Y: []float64{1, 1}},
		{Run: "y/a", X: []float64{0, 9}, Y: []float64{2, 3}},
	}
	for plain, want := range map[bool][]string{
		true: {"a x/a   b y/a", "aaaaaaa", "bbbbb"}, false: {"\x1b[", "x/a", "y/a"},
	} {
		text, err := c.draw(two, plain)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("plain %v: no %q in\n%s", plain, w, text)
			}
		}
		if plain && strings.Contains(text, "\x1b") {
			t.Errorf("colours in\n%s", text)
		}
	}
}
