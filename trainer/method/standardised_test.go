package method

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

var testMean, testStd = []float64{0.5, -2, 0}, []float64{0.2, 3, 1}

// standardised is a small diffusion prior and its standardised form at the same parameters.
func standardised() (inner *DiffusionPrior, p []float32, outer *Standardised, q []float32) {
	o := small()
	inner = NewDiffusionPrior(o)
	p = normals(inner.Layout().Size(), 20, 0.4)
	outer = NewStandardised(NewDiffusionPrior(o), o.Latent)
	q = make([]float32, outer.Layout().Size())
	copy(q, p)
	return inner, p, outer, q
}

// evaluated is drift, losses and gradient of a prior on some rows.
func evaluated(prior Prior, p, z []float32) (g, loss, grad []float32) {
	d := len(testMean)
	rows := len(z) / d
	g, loss, grad = make([]float32, len(z)), make([]float32, rows), make([]float32, len(p))
	ids := make([]uint64, rows)
	for i := range ids {
		ids[i] = uint64(i)
	}
	tape := prior.NewTape(p, rows)
	for i := range tape.PackTasks(true) {
		tape.Pack(i)
	}
	tape.Begin(rows, kernel.Key{Seed: 1, Stream: kernel.StreamLambda}, kernel.Key{Seed: 1, Stream: kernel.StreamScoreNoise})
	tape.Rows(0, 2, z[:2*d], ids[:2], g[:2*d], loss[:2], true)
	tape.Rows(2, rows, z[2*d:], ids[2:], g[2*d:], loss[2:], true)
	for i := range tape.GradTasks() {
		tape.Grad(i, grad, rows)
	}
	return g, loss, grad
}

// -log p(z) of z = mean + scale z' is -log p'(z') + sum of log scale: values, the gradient by z by the chain rule, that
// by theta unchanged, and none by mean and scale.
func TestStandardisedDensity(t *testing.T) {
	inner, p, outer, q := standardised()
	const rows, d = 7, 3
	own := normals(rows*d, 4, 1)
	z := make([]float32, len(own))
	for i, v := range own {
		z[i] = float32(testMean[i%d] + testStd[i%d]*float64(v))
	}
	for i, start := range []bool{true, false} {
		if at := [][]float32{own, z}[i]; start {
			g, loss, grad := evaluated(outer, q, at)
			wantG, wantLoss, wantGrad := evaluated(inner, p, own)
			if !slices.Equal(g, wantG) || !slices.Equal(loss, wantLoss) || !slices.Equal(grad[:len(p)], wantGrad) {
				t.Error("before mean and scale are set, it is not the prior within")
			}
			continue
		}
		outer.Set(q, testMean, testStd)
		g, loss, grad := evaluated(outer, q, z)
		innerG, innerLoss, innerGrad := evaluated(inner, p, own)
		var wantG, wantLoss []float64
		for i, v := range innerG {
			wantG = append(wantG, float64(v)/testStd[i%d])
		}
		for _, v := range innerLoss {
			wantLoss = append(wantLoss, float64(v)+math.Log(0.2)+math.Log(3))
		}
		near(t, "gradient by z", g, wantG, gradTolerance)
		near(t, "loss", loss, wantLoss, gradTolerance)
		near(t, "gradient by theta", grad[:len(p)], reference.Wide(innerGrad), gradTolerance)
		if slices.ContainsFunc(grad[len(p):], func(v float32) bool { return v != 0 }) {
			t.Error("mean and scale have a gradient")
		}
	}
}

// Samples are the inner prior's, mapped.
func TestStandardisedSamples(t *testing.T) {
	inner, p, outer, q := standardised()
	outer.Set(q, testMean, testStd)
	const rows, d = 5, 3
	draw := func(prior Prior, p []float32) []float32 {
		s := prior.NewSampler(p, rows)
		for i := range s.PackTasks(false) {
			s.Pack(i)
		}
		z := normals(rows*d, 6, 1)
		s.Sample(0, rows, z, []uint64{3, 1, 4, 15, 9}, SampleSpec{Solver: "ancestral", Steps: 4, Seed: 2})
		return z
	}
	var want []float64
	for i, v := range draw(inner, p) {
		want = append(want, testMean[i%d]+testStd[i%d]*float64(v))
	}
	near(t, "samples", draw(outer, q), want, 1e-6)
}

// Every prior gives its loss without a drift to write, the same in every bit.
func TestPriorLossAlone(t *testing.T) {
	inner, p, outer, q := standardised()
	outer.Set(q, testMean, testStd)
	scored := NewDiffusionPrior(small())
	scored.Bound.ScoreDrift = true
	z := normals(7*len(testMean), 4, 1)
	for name, c := range map[string]struct {
		prior Prior
		p     []float32
	}{
		"gaussian":     {Gaussian{Latent: 3}, nil},
		"learned mean": {Gaussian{Latent: 3, LearnMean: true}, []float32{1, -2, 0.5}},
		"diffusion":    {inner, p},
		"by its score": {scored, p},
		"standardised": {outer, q},
	} {
		_, want, _ := evaluated(c.prior, c.p, z)
		rows := len(want)
		tape, ids := c.prior.NewTape(c.p, rows), make([]uint64, rows)
		for i := range ids {
			ids[i] = uint64(i)
		}
		for i := range tape.PackTasks(false) {
			tape.Pack(i)
		}
		tape.Begin(rows, kernel.Key{Seed: 1, Stream: kernel.StreamLambda}, kernel.Key{Seed: 1, Stream: kernel.StreamScoreNoise})
		loss := make([]float32, rows)
		if tape.Rows(0, rows, z, ids, nil, loss, false); !slices.Equal(loss, want) {
			t.Errorf("%s: %v alone, %v with the drift", name, loss, want)
		}
	}
}
