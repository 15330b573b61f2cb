package prior_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

var testMean, testStd = []float64{0.5, -2, 0}, []float64{0.2, 3, 1}

// standardised is a small diffusion prior and its standardised form at the same parameters.
func standardised() (inner *prior.Diffusion, p []float32, outer *prior.Standardised, q []float32) {
	o := small()
	inner = diffusionOf(o)
	p = reference.Normals(inner.Layout().Size(), 20, 0.4)
	outer = prior.NewStandardised(diffusionOf(o), o.Latent)
	q = make([]float32, outer.Layout().Size())
	copy(q, p)
	return inner, p, outer, q
}

// diffusionOf is the diffusion prior that the options describe.
func diffusionOf(o config.Options) *prior.Diffusion {
	return &prior.Diffusion{
		Bound: prior.NewBound(o),
		Score: model.NewResidualScore(nil, o.Latent, o.ScoreWidth, o.ScoreBlocks, o.ScoreFeatures),
	}
}

// small are options of a small diffusion prior.
func small() config.Options {
	return config.Options{
		Latent: 3, ScoreWidth: 6, ScoreBlocks: 2, ScoreFeatures: 4, LambdaMin: -6, LambdaMax: 5,
		ScoreDraws: 1, PriorWeight: "elbo", PriorDrift: "bound", PriorLevels: "uniform",
	}
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if d := reference.Distance(got, want); !(d <= tolerance) {
		t.Errorf("%s: relative distance %.2g, more than %g", what, d, tolerance)
	}
}

// tolerance bounds the relative distance of float32 results from float64 references.
const tolerance = 1e-5

// The keys of evaluated.
var (
	level = kernel.Key{Seed: 1, Stream: diffusion.StreamLambda}
	noise = kernel.Key{Seed: 1, Stream: diffusion.StreamScoreNoise}
)

// evaluated returns drift, losses and gradient by theta of a prior on some rows.
func evaluated(of prior.Prior, p, z []float32) (g, loss, grad []float32) {
	d := len(testMean)
	rows := len(z) / d
	g, loss, grad = make([]float32, len(z)), make([]float32, rows), make([]float32, len(p))
	ids := make([]uint64, rows)
	for i := range ids {
		ids[i] = uint64(i)
	}
	tape := of.NewTape(nil, p, model.Size{Rows: rows}, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	tape.Begin(rows, level, noise)
	for _, cut := range [][2]int{{0, 2}, {2, rows}} {
		lo, hi := cut[0], cut[1]
		tape.Evaluate(diffusion.Rows{
			Lo: lo, Hi: hi, Z: z[lo*d : hi*d], IDs: ids[lo:hi], G: g[lo*d : hi*d],
			Loss: loss[lo:hi], Train: true,
		})
	}
	tape.Reduce(layer.Wave{
		Rows: rows, First: true, Last: true, Scale: float32(1 / float64(rows)), Grad: grad,
	})
	for i := range tape.GradTasks() {
		tape.Grad(i)
	}
	return g, loss, grad
}

// -log p(z) of z = mean + scale z' is -log p'(z') + sum of log scale. Its gradient by z follows by
// the chain rule, the gradient by theta is that of the inner prior, and mean and scale have none.
func TestStandardisedDensity(t *testing.T) {
	inner, p, outer, q := standardised()
	const rows, d = 7, 3
	own := reference.Normals(rows*d, 4, 1)
	z := make([]float32, len(own))
	for i, v := range own {
		z[i] = float32(testMean[i%d] + testStd[i%d]*float64(v))
	}
	for i, start := range []bool{true, false} {
		if at := [][]float32{own, z}[i]; start {
			g, loss, grad := evaluated(outer, q, at)
			wantG, wantLoss, wantGrad := evaluated(inner, p, own)
			if !slices.Equal(g, wantG) || !slices.Equal(loss, wantLoss) ||
				!slices.Equal(grad[:len(p)], wantGrad) {
				t.Error("before mean and scale are set, it is not the inner prior")
			}
			continue
		}
		outer.Standardise(q, testMean, testStd)
		g, loss, grad := evaluated(outer, q, z)
		innerG, innerLoss, innerGrad := evaluated(inner, p, own)
		var wantG, wantLoss []float64
		for i, v := range innerG {
			wantG = append(wantG, float64(v)/testStd[i%d])
		}
		for _, v := range innerLoss {
			wantLoss = append(wantLoss, float64(v)+math.Log(0.2)+math.Log(3))
		}
		near(t, "gradient by z", g, wantG, tolerance)
		near(t, "loss", loss, wantLoss, tolerance)
		near(t, "gradient by theta", grad[:len(p)], reference.Wide(innerGrad), tolerance)
		if slices.ContainsFunc(grad[len(p):], func(v float32) bool { return v != 0 }) {
			t.Error("mean and scale have a gradient")
		}
	}
}

// Samples are those of the inner prior, shifted and scaled.
func TestStandardisedSamples(t *testing.T) {
	inner, p, outer, q := standardised()
	outer.Standardise(q, testMean, testStd)
	const rows, d = 5, 3
	draw := func(from prior.Prior, p []float32) []float32 {
		s := from.NewSampler(nil, p, model.Size{Rows: rows, Tile: rows, Passes: 1})
		for i := range s.PackTasks() {
			s.Pack(i)
		}
		z := reference.Normals(rows*d, 6, 1)
		spec := prior.SampleSpec{Solver: "ancestral", Steps: 4, Seed: 2}
		s.Sample(z, []uint64{3, 1, 4, 15, 9}, spec)
		return z
	}
	var want []float64
	for i, v := range draw(inner, p) {
		want = append(want, testMean[i%d]+testStd[i%d]*float64(v))
	}
	near(t, "samples", draw(outer, q), want, 1e-6)
}

// Every prior computes the same loss, bit for bit, when only the loss is wanted.
func TestPriorLossAlone(t *testing.T) {
	inner, p, outer, q := standardised()
	outer.Standardise(q, testMean, testStd)
	scored := diffusionOf(small())
	scored.Bound.ScoreDrift = true
	z := reference.Normals(7*len(testMean), 4, 1)
	for name, c := range map[string]struct {
		prior prior.Prior
		p     []float32
	}{
		"gaussian":     {prior.Gaussian{Latent: 3}, nil},
		"learned mean": {prior.Gaussian{Latent: 3, LearnMean: true}, []float32{1, -2, 0.5}},
		"diffusion":    {inner, p},
		"by its score": {scored, p},
		"standardised": {outer, q},
	} {
		_, want, _ := evaluated(c.prior, c.p, z)
		rows := len(want)
		ids := make([]uint64, rows)
		tape := c.prior.NewTape(nil, c.p, model.Size{Rows: rows}, model.Train)
		for i := range ids {
			ids[i] = uint64(i)
		}
		for i := range tape.PackTasks() {
			tape.Pack(i)
		}
		tape.Begin(rows, level, noise)
		loss := make([]float32, rows)
		tape.Evaluate(diffusion.Rows{Hi: rows, Z: z, IDs: ids, Loss: loss})
		if !slices.Equal(loss, want) {
			t.Errorf("%s: %v alone, %v with the drift", name, loss, want)
		}
	}
}
