package likelihood_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/likelihood"
)

const clippedSigma, clippedDim = 0.5, 8

// clippedBound is U of likelihood.Clipped, as the integral of its derivative from where y is x, in
// steps: no formula of the code's is in it.
func clippedBound(out, x []float32, missing []bool) float64 {
	const steps = 2000
	clip := func(y float64) float64 { return math.Max(-1, math.Min(1, y)) }
	u := 0.0
	for j, y := range out {
		if missing != nil && missing[j] {
			continue
		}
		from, to := float64(x[j]), float64(y)
		for k := range steps {
			at := from + (to-from)*(float64(k)+0.5)/steps
			u += (clip(at) - from) * (to - from) / steps
		}
	}
	return u / (clippedSigma * clippedSigma)
}

// The losses are those of a Gaussian about what is cut off, the gradients those of the bound.
func TestClipped(t *testing.T) {
	l := likelihood.Clipped{Gaussian: likelihood.Gaussian{Sigma: clippedSigma, D: clippedDim}}
	gaussian := l.Gaussian
	n := decoder(2, clippedDim, 0)
	x := []float32{1, -1, 0.5, 0.25, 0, -0.5, -1, 1, -1, 1, 1, -0.25, -1, 0.75, 1, -1}
	gone := make([]bool, len(x))
	gone[1], gone[2], gone[11] = true, true, true
	beyond := 0
	for _, y := range n.decode([]float32{2, 0.25}) {
		if math.Abs(float64(y)) > 1 {
			beyond++
		}
	}
	if beyond == 0 {
		t.Fatal("no output of the decoder is cut off")
	}
	checkGradientOf(t, l, clippedBound, n, x, nil)
	checkGradientOf(t, l, clippedBound, n, x, gone)

	out := []float32{1.5, -3, 0.25, 7, -0.75, -1, 1, -2}
	cut := []float32{1, -1, 0.25, 1, -0.75, -1, 1, -1}
	for _, missing := range [][]bool{nil, gone[:clippedDim]} {
		want := gaussian.NegLog(cut, x[:clippedDim], missing)
		got := l.NegLog(out, x[:clippedDim], missing)
		least := gaussian.NegLog(x[:clippedDim], x[:clippedDim], missing) // no error
		// The midpoint rule errs by less than 1e-4 at the two kinks.
		if bound := clippedBound(out, x[:clippedDim], missing) + least; got != want ||
			bound < got-1e-4 {
			t.Errorf("-log p = %v below %v, expected %v", got, bound, want)
		}
	}
	mean, draw := make([]float32, clippedDim), make([]float32, clippedDim)
	l.Mean(mean, out)
	l.Draw(draw, out, []float32{1, 0, 0, -1, 0, 0, 0, 0})
	for j, v := range cut {
		if mean[j] != v {
			t.Errorf("mean %v, expected %v", mean, cut)
		}
		if j == 0 {
			v += clippedSigma
		} else if j == 3 {
			v -= clippedSigma
		}
		if draw[j] != v {
			t.Errorf("drew %v, of means %v", draw, cut)
		}
	}
}
