package verify

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
)

// TestQuickExperiments: the experiments of sections 8.2 and 8.3 that take a second pass. (TestMutations sees experiments fail.)
func TestQuickExperiments(t *testing.T) {
	r, err := Run(t.Context(), Options{Seed: 1, Only: []string{"gradient of the bound", "cut-offs", "posterior at every move", "learned W against"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) != 35 {
		t.Errorf("%d checks, expected 35", len(r.Checks))
	}
	for _, c := range r.Failed() {
		t.Errorf("%s: %v, accepted from %v to %v", c.Quantity, c.Measured, c.Low, c.High)
	}
}

// TestPowerOfTheMethods: a training is told from one whose noise is wrong by a factor of 2 in its variance, whose stationary
// variance is twice as large, and from one without bias.
func TestPowerOfTheMethods(t *testing.T) {
	p := pool.New(0)
	defer p.Close()
	l := &lab{Options: Options{Seed: 1}, ctx: t.Context(), pool: p, experiment: experiment{section: "8.2", title: "methods"}}
	c := methodCases()[0]
	c.steps = 600
	r, err := c.train(l, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	hot := func(lambda float64) float64 {
		return balance(lambda, func(p float64) (reach, variance float64) { return 1, 2 / (p * (1 - c.h*p/2)) })
	}
	data := newFactorData(methodRows/c.particles, l.seed(1000))
	tolerance := z*r.se + r.allowance
	if math.Abs(r.gap-r.exact) > tolerance {
		t.Errorf("gap %v, expected %v +- %v", r.gap, r.exact, tolerance)
	}
	if math.Abs(r.gap-data.gapOf(hot)) <= tolerance || r.gap <= tolerance {
		t.Errorf("no power: gap %v +- %v, with twice the variance %v", r.gap, tolerance, data.gapOf(hot))
	}
}
