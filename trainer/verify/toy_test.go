package verify

import (
	"fmt"
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// TestToyLaws: the recursions have the limits of ALGORITHM.md, section 8.1, with errors of order h; they
// contract and lose stability where it says.
func TestToyLaws(t *testing.T) {
	overdamped := []toy{standard(0), noisy(0), {method: "pgd", points: 6, particles: 2, parts: 1, inner: 1, dynamics: "overdamped"}}
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
		model.start = 2 * toyMean
		off := func(k int) float64 { return model.after(k).mean.AtVec(0) - toyMean }
		close(t, fmt.Sprintf("contraction at h = %v", h), math.Abs(off(61)/off(60)), model.contraction(), 1e-4)
	}
}

// TestTransition: the exact transition of free particles, without a drift, composes: two of a time make
// one of twice that time, and velocities tend to unit variance.
func TestTransition(t *testing.T) {
	free := func(tau float64) affine {
		const gamma = 0.7
		model := toy{points: 1, particles: 1, parts: 1, inner: 1, dynamics: "exact", friction: 1 - math.Exp(-gamma*tau)}
		model.h = math.Pow(model.friction/gamma, 2)
		m := model.move(0)
		m.a.Set(1, 1, 1) // no drift: of z, of theta, of y
		m.a.Set(2, 1, 0)
		m.a.Set(1, 0, 0)
		m.a.Set(2, 0, 0)
		m.b.Zero()
		return m
	}
	twice, long := free(0.4).then(free(0.4)), free(0.8)
	for i := range 3 {
		for j := range 3 {
			close(t, "A", twice.a.At(i, j), long.a.At(i, j), 1e-13)
			close(t, "Q", twice.q.At(i, j), long.q.At(i, j), 1e-13)
		}
	}
	m := free(0.4)
	for range 10 {
		m = m.then(m)
	}
	close(t, "variance of the velocity", m.q.At(2, 2), 1, 1e-12)
}

// TestDiagonal: gradients of the diagonal decoder against differences of the loss sum (y - x)^2 / 2.
func TestDiagonal(t *testing.T) {
	const width, rows = 3, 4
	for _, net := range []diagonal{{width: width}, {width: width, offset: true}, {width: width, offset: true, scale: true}} {
		p, x, target := make([]float32, net.Layout().Size()), make([]float32, rows*width), make([]float32, rows*width)
		for i, v := range [][]float32{p, x, target} {
			kernel.Normal(v, kernel.Key{Seed: uint64(i)}, 0)
		}
		loss := func() (sum float64) {
			tape := net.NewTape(p, rows)
			copy(tape.In(0, rows), x)
			tape.Forward(0, rows)
			for i, y := range tape.Out(0, rows) {
				d := float64(y) - float64(target[i])
				sum += d * d / 2
			}
			return sum
		}
		tape := net.NewTape(p, rows)
		copy(tape.In(0, rows), x)
		tape.Forward(0, rows)
		for i, y := range tape.Out(0, rows) {
			tape.Out(0, rows)[i] = y - target[i]
		}
		dx, grad := make([]float32, rows*width), make([]float32, len(p))
		tape.Backward(0, rows, dx)
		for i := range tape.GradTasks() {
			tape.Grad(i, grad, rows, 0.5)
		}
		compare := func(what string, v, g []float32, factor float64) {
			for i := range v {
				const step = 1.0 / 64
				at := v[i]
				v[i] = at + step
				up := loss()
				v[i] = at - step
				down := loss()
				v[i] = at
				close(t, fmt.Sprintf("%v: gradient by %s %d", net, what, i), float64(g[i]), factor*(up-down)/(2*step), 2e-4)
			}
		}
		compare("input", x, dx, 1)
		compare("parameter", p, grad, 0.5)
	}
}
