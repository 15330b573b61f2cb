package prior_test

import (
	"github.com/plume-ml/plume/trainer/internal/reference"
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/prior"
)

// Closed is true for priors that are N(m, I). Their loss at z is -log p(z), here computed from the
// density.
func TestClosed(t *testing.T) {
	inner, _, outer, _ := standardised()
	for name, c := range map[string]struct {
		prior  prior.Prior
		closed bool
	}{
		"gaussian":     {prior.Gaussian{Latent: 3}, true},
		"learned mean": {prior.Gaussian{Latent: 3, LearnMean: true}, true},
		"diffusion":    {inner, false},
		"standardised": {outer, false},
		"of Gaussian":  {prior.NewStandardised(prior.Gaussian{Latent: 3}, 3), false},
	} {
		if got := c.prior.Closed(); got != c.closed {
			t.Errorf("%s: closed is %v, expected %v", name, got, c.closed)
		}
	}
	mean, z := []float32{1, -2, 0.5}, reference.Normals(4*3, 3, 1)
	_, loss, _ := evaluated(prior.Gaussian{Latent: 3, LearnMean: true}, mean, z)
	for i, got := range loss {
		want := 1.5 * math.Log(2*math.Pi)
		for j, v := range z[3*i : 3*i+3] {
			want += (float64(v) - float64(mean[j])) * (float64(v) - float64(mean[j])) / 2
		}
		if math.Abs(float64(got)-want) > tolerance*want {
			t.Errorf("row %d: loss %v, expected %v", i, got, want)
		}
	}
}

// Standardise does not change priors without a mean and a scale. A steady prior has the same layout
// and drift, but other losses.
func TestStandardiseAndSteady(t *testing.T) {
	inner, p, outer, q := standardised()
	before := append([]float32(nil), p...)
	inner.Standardise(p, testMean, testStd)
	for i := range p {
		if p[i] != before[i] {
			t.Fatalf("parameter %d of a diffusion changed", i)
		}
	}
	if (prior.Gaussian{Latent: 3}).Steady() != (prior.Gaussian{Latent: 3}) {
		t.Error("a Gaussian has another steady prior than itself")
	}
	outer.Standardise(q, testMean, testStd)
	for name, c := range map[string]struct {
		prior prior.Prior
		p     []float32
	}{"diffusion": {inner, p}, "standardised": {outer, q}} {
		steady, z := c.prior.Steady(), reference.Normals(7*3, 4, 1)
		if a, b := steady.Layout().Size(), c.prior.Layout().Size(); a != b {
			t.Errorf("%s: %d parameters, and %d of the steady prior", name, b, a)
		}
		g, loss, _ := evaluated(c.prior, c.p, z)
		sameG, other, _ := evaluated(steady, c.p, z)
		for i := range g {
			if g[i] != sameG[i] {
				t.Fatalf("%s: the steady prior has another drift", name)
			}
		}
		same := true
		for i := range loss {
			same = same && loss[i] == other[i]
		}
		if same {
			t.Errorf("%s: the steady prior has the same losses", name)
		}
	}
	if inner.Bound.SteadyLoss {
		t.Error("Steady changed the prior itself")
	}
}
