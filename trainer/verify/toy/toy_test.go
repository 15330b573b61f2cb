package toy

import (
	"fmt"
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/particle"
)

// TestToyLaws: the recursions have the limits of ALGORITHM.md, section 8.1, with errors of order
// h, and its contraction and limit of stability.
func TestToyLaws(t *testing.T) {
	other := standard(0)
	other.points, other.particles = 6, 2
	overdamped := []toy{standard(0), noisy(0), other}
	for i, model := range overdamped {
		var last float64
		for _, h := range []float64{2e-3, 1e-3} {
			model.h = h
			bias := model.stationary().cov.At(0, 0)/model.limitVariance() - 1
			if math.Abs(bias) > 10*h || last != 0 && math.Abs(last/bias-2) > 0.05 {
				t.Errorf("model %d, h = %v: relative bias %v, before %v", i, h, bias, last)
			}
			last = bias
		}
	}
	for _, share := range []float64{0.999, 1.001} {
		model := standard(share * standard(0).limit())
		if stable := model.contraction() < 1; stable != (share < 1) {
			t.Errorf("%v of the limit: stable is %v", share, stable)
		}
	}
	for _, h := range []float64{0.1, 0.2, 0.36} {
		model := standard(h)
		model.start = 2 * dataMean
		off := func(k int) float64 { return model.after(k).mean.AtVec(0) - dataMean }
		name := fmt.Sprintf("contraction at h = %v", h)
		closeTo(t, name, math.Abs(off(61)/off(60)), model.contraction(), 1e-4)
	}
}

// TestTransition: exact transitions of free particles compose, two over a time into one over twice
// that time, and the velocities tend to unit variance.
func TestTransition(t *testing.T) {
	free := func(tau float64) affine {
		const gamma = 0.7
		model := toy{points: 1, particles: 1, parts: 1, inner: 1, dynamics: particle.Exact}
		model.friction = 1 - math.Exp(-gamma*tau)
		model.h = math.Pow(model.friction/gamma, 2)
		m := model.move(0)
		m.a.Set(1, 1, 1) // no drift by z, theta or y
		m.a.Set(2, 1, 0)
		m.a.Set(1, 0, 0)
		m.a.Set(2, 0, 0)
		m.b.Zero()
		return m
	}
	twice, long := free(0.4).then(free(0.4)), free(0.8)
	for i := range 3 {
		for j := range 3 {
			closeTo(t, "A", twice.a.At(i, j), long.a.At(i, j), 1e-13)
			closeTo(t, "Q", twice.q.At(i, j), long.q.At(i, j), 1e-13)
		}
	}
	m := free(0.4)
	for range 10 {
		m = m.then(m)
	}
	closeTo(t, "variance of the velocity", m.q.At(2, 2), 1, 1e-12)
}
