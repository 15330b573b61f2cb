package mixture

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

func closeTo(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestMixturePosterior: prior times likelihood is the posterior times the marginal, at every z.
func TestMixturePosterior(t *testing.T) {
	m := newTwoModes()
	const x = 0.4
	p := m.posterior(x)
	for _, z := range []float64{-2, -1, 0.3, 1.8} {
		_, prior := m.Responsibilities([]float64{z}, 1, 0)
		_, posterior := p.Responsibilities([]float64{z}, 1, 0)
		likelihood := logNormal(math.Pow(x-m.w*z, 2), m.noise*m.noise)
		closeTo(t, "log p(z) p(x|z)", prior+likelihood,
			posterior+m.logLikelihood([]float64{x}), 1e-12)
	}
}

// TestMeanDrift: with exact scores the bound is tight, so that apart from the cut-offs its
// gradient is the gradient of -log p.
func TestMeanDrift(t *testing.T) {
	m := newTwoModes()
	for _, z := range []float64{-1.6, 0, 0.9} {
		const h = 1e-5
		_, up := m.Responsibilities([]float64{z + h}, 1, 0)
		_, down := m.Responsibilities([]float64{z - h}, 1, 0)
		closeTo(t, "drift", meanDrift(m.Mixture, z, lab.Process), (down-up)/(2*h), 1e-3)
	}
}

// TestGrid: moves in a quadratic well tend to the variance 1/(p (1 - h p/2)) and conserve the mass.
func TestGrid(t *testing.T) {
	const p, h = 4.0, 0.02
	g := standardGrid()
	g = g.after(300, g.kernel(h, func(z float64) float64 { return p * (z - 0.5) }))
	var mass, square float64
	for i, v := range g.p {
		mass += v * g.step
		square += v * g.step * g.z[i] * g.z[i]
	}
	closeTo(t, "mass", mass, 1, 1e-7)
	v := 1 / (p * (1 - h*p/2))
	closeTo(t, "square", square, v+0.25, 1e-6)
	closeTo(t, "above", g.above(), 1-math.Erfc(0.5/math.Sqrt(2*v))/2, 1e-4)
}

// TestDistance: draws of a mixture are near it, and those of the Gaussian with its moments are
// further away than a learned prior may be.
func TestDistance(t *testing.T) {
	m, r := newTwoModes(), rand.New(rand.NewPCG(6, 6))
	const n = 8192
	z, _ := m.draw(r, n)
	const limit = 1.95 // exceeded once in a thousand times
	if d := distance(m.Mixture, exactnet.Narrow(z)); !(d < limit/math.Sqrt(n)) {
		t.Errorf("its own draws are %v away", d)
	}
	mean, sd := lab.Sample(z).Mean(), math.Sqrt(lab.Sample(z).Variance())
	for i := range z {
		z[i] = mean + sd*r.NormFloat64()
	}
	if d := distance(m.Mixture, exactnet.Narrow(z)); d < 1.5*learnedDistance {
		t.Errorf("a Gaussian is only %v away", d)
	}
}

// TestGaussianFit: the best Gaussian for a Gaussian is itself, without loss. For two distant modes
// it is one of them, and loses minus the logarithm of its weight.
func TestGaussianFit(t *testing.T) {
	one := exactnet.Mixture{
		Weight: []float64{1}, Variance: []float64{0.7}, Mean: [][]float64{{0.3}},
	}
	mean, variance, loss := gaussianFit(one, 1, 1)
	closeTo(t, "mean", mean, 0.3, 1e-5)
	closeTo(t, "variance", variance, 0.7, 1e-5)
	closeTo(t, "loss", loss, 0, 1e-9)
	far := exactnet.Mixture{
		Weight: []float64{0.3, 0.7}, Variance: []float64{0.2, 0.3}, Mean: [][]float64{{-8}, {8}},
	}
	_, _, loss = gaussianFit(far, -7.5, 0.3)
	closeTo(t, "loss of a mode", loss, -math.Log(0.3), 1e-9)
}

// TestMixtureFit: the slope of the likelihood vanishes at its maximum, which is near the truth.
func TestMixtureFit(t *testing.T) {
	m := newTwoModes()
	z, _ := m.draw(rand.New(rand.NewPCG(4, 4)), 4000)
	best := fit(m.Mixture, z)
	closeTo(t, "slope", likelihoodSlope(best, z), 0, 1e-9)
	// sampling errors of a weight are 0.0075, of the means up to 0.011
	closeTo(t, "weight", best.Weight[0], m.Weight[0], 0.04)
	closeTo(t, "mean", best.Mean[0][0], m.Mean[0][0], 0.06)
	if s := likelihoodSlope(m.Mixture, z); math.Abs(s) < 1e-6 {
		t.Errorf("slope %v at the truth, too", s)
	}
}
