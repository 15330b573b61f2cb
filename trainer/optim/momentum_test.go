package optim

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
)

// flowed is one parameter under MPGD's flow as the paper writes it: position, momentum, and the
// mean square by whose root the gradient at the look-ahead point is divided.
type flowed struct{ theta, m, v, beta2t float64 }

// look is the look-ahead point: where the momentum, slowed by drag, takes theta in time tau.
func (s *flowed) look(gamma, tau float64) float64 {
	return s.theta + (1-math.Exp(-gamma*tau))/gamma*s.m
}

func (s *flowed) step(kind Kind, g, gamma, tau float64) {
	switch kind {
	case RMSprop:
		s.v = 0.99*s.v + 0.01*g*g
		g /= math.Sqrt(s.v) + 1e-8
	case Adam:
		if s.beta2t == 0 {
			s.beta2t = 1
		}
		s.beta2t *= 0.999
		s.v = 0.999*s.v + 0.001*g*g
		g /= math.Sqrt(s.v/(1-s.beta2t)) + 1e-8
	}
	stay := math.Exp(-gamma * tau)
	s.theta += ((1-stay)*s.m - (tau-(1-stay)/gamma)*g) / gamma
	s.m = stay*s.m - (1-stay)/gamma*g
}

// flowTimes finds gamma and tau by bisection from their definition: a step loses the share drag of
// the momentum, and a gradient g changes the next displacement by lr g.
func flowTimes(drag, lr float64) (gamma, tau float64) {
	low, high := 1e-12, 1e12 // gamma: larger moves less
	for range 200 {
		gamma = math.Sqrt(low * high)
		tau = -math.Log(1-drag) / gamma
		if kick := (1 - math.Exp(-gamma*tau)) / gamma; kick*kick > lr {
			low = gamma
		} else {
			high = gamma
		}
	}
	return gamma, tau
}

// TestMomentum follows each kind for 40 steps with its average: a buffer that holds the look-ahead
// points of the flow. The gradient depends on that point. Roundings as in TestPapers, on momenta
// that a displacement multiplies by sqrt(lr); 0.999 in float32 makes a new mean square 1.3e-5 of
// itself wrong, and its root, in which the first steps divide, half of it.
func TestMomentum(t *testing.T) {
	const n, steps, decay = 67, 40, 0.95
	for _, kind := range kinds {
		for _, c := range []struct{ drag, lr float64 }{{0.1, 1e-3}, {0.7, 0.02}} {
			p := normals(n, 0)
			o, err := start(kind, p, decay)
			if err != nil {
				t.Fatal(err)
			}
			o.UseMomentum(nil, c.drag, n)
			gamma, tau := flowTimes(c.drag, c.lr)
			want, average := make([]flowed, n), make([]float64, n)
			for i := range want {
				want[i].theta, average[i] = float64(p[i]), float64(p[i])
			}
			for step := 1; step <= steps; step++ {
				noise, g := normals(n, uint32(step)), make([]float32, n)
				for i := range g {
					g[i] = p[i] + noise[i]
				}
				o.Begin(c.lr)
				o.Apply(p, g, memory.Span(0, n))
				d := min(decay, float64(1+step)/float64(10+step))
				for i := range want {
					s := &want[i]
					s.step(kind, s.look(gamma, tau)+float64(noise[i]), gamma, tau)
					look := s.look(gamma, tau)
					average[i] = d*average[i] + (1-d)*look
					moved := math.Abs(look-float64(normals(n, 0)[i])) + c.lr
					tol := 1e-5*moved + float64(step)*1e-6
					if beyond(float64(p[i])-look, tol) ||
						beyond(float64(o.EMA[i])-average[i], tol) {
						t.Fatalf("%s, drag %v, step %d, element %d: p %v, average %v; want %v, "+
							"%v within %.2g",
							kind, c.drag, step, i, p[i], o.EMA[i], look, average[i], tol)
					}
					if beyond(float64(o.M[i])-s.m, 2e-5*(1+math.Abs(s.m))) {
						t.Fatalf("%s, drag %v, step %d, element %d: momentum %v, want %v",
							kind, c.drag, step, i, o.M[i], s.m)
					}
				}
			}
		}
	}
}

// Under a constant gradient g the parameters end up moving by tau/gamma g per step, and on p^2/2
// they come to rest at its minimum.
func TestMomentumSettles(t *testing.T) {
	const drag, lr = 0.1, 1e-3
	for _, slope := range []bool{true, false} {
		p, g := []float32{1}, []float32{1}
		o, err := start(SGD, p, 0)
		if err != nil {
			t.Fatal(err)
		}
		o.UseMomentum(nil, drag, 1)
		var before float32
		for range 3000 {
			before = p[0]
			if !slope {
				g[0] = p[0]
			}
			o.Begin(lr)
			o.Apply(p, g, memory.Span(0, 1))
		}
		gamma, tau := flowTimes(drag, lr)
		// p is near -30
		if step := float64(p[0] - before); slope && beyond(step/(-tau/gamma)-1, 1e-3) {
			t.Errorf("a step of %v, want %v", step, -tau/gamma)
		}
		if !slope && beyond(float64(p[0]), 1e-6) {
			t.Errorf("at rest at %v", p[0])
		}
	}
}

// The momentum is kept in the first moment's array, or in a new one if there is none. Steps in
// pieces have the bits of the whole.
func TestMomentumState(t *testing.T) {
	const n = 100
	for _, kind := range kinds {
		p := normals(n, 0)
		o, err := start(kind, p, 0)
		if err != nil {
			t.Fatal(err)
		}
		o.UseMomentum(nil, 0.2, n)
		if hasSquare := kind != SGD; len(o.M) != n || len(o.V) == n != hasSquare {
			t.Errorf("%s: moments of %d and %d numbers", kind, len(o.M), len(o.V))
		}
		whole, q := slices.Clone(p), slices.Clone(p)
		pieces, err := start(kind, q, 0)
		if err != nil {
			t.Fatal(err)
		}
		pieces.UseMomentum(nil, 0.2, n)
		for step := uint32(1); step <= 3; step++ {
			g := normals(n, step)
			o.Begin(0.01)
			o.Apply(whole, g, memory.Span(0, n))
			pieces.Begin(0.01)
			for _, cut := range [][2]int{{33, 34}, {0, 33}, {71, n}, {34, 71}} {
				pieces.Apply(q, g, memory.Span(cut[0], cut[1]))
			}
		}
		if !slices.Equal(whole, q) || !slices.Equal(o.M, pieces.M) {
			t.Errorf("%s: pieces differ from the whole", kind)
		}
		if a := testing.AllocsPerRun(10, func() { o.Apply(whole, q, memory.Span(0, n)) }); a != 0 {
			t.Errorf("%s: %v allocations", kind, a)
		}
	}
}
