package linear

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// TestPowerOfTheMethods: a training is distinguished from one whose noise has twice the variance,
// and so twice the stationary variance, and from one without bias.
func TestPowerOfTheMethods(t *testing.T) {
	p := pool.New(0)
	defer p.Close()
	l := lab.New(t.Context(), p, lab.Experiment{Section: "8.2", Title: "methods"}, 1, false)
	c := methodCases()[0]
	c.steps = 600
	r, err := c.train(l, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	hot := func(lambda float64) float64 {
		return balance(lambda, func(p float64) (reach, variance float64) {
			return 1, 2 / (p * (1 - c.h*p/2))
		})
	}
	data := newFactorData(methodRows/c.particles, l.Seed(1000))
	tolerance := lab.Z*r.se + r.allowance
	if math.Abs(r.gap-r.exact) > tolerance {
		t.Errorf("gap %v, expected %v +- %v", r.gap, r.exact, tolerance)
	}
	if math.Abs(r.gap-data.gapOf(hot)) <= tolerance || r.gap <= tolerance {
		t.Errorf("no power: gap %v +- %v, with twice the variance %v",
			r.gap, tolerance, data.gapOf(hot))
	}
}
