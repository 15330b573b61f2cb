package optim

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// beyond reports that |diff| is not within tol; NaN never is.
func beyond(diff, tol float64) bool { return !(math.Abs(diff) <= tol) }

func normals(n int, step uint32) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Step: step, Stream: 1 << 16}, 0)
	return x
}

// transcription is one parameter under an optimiser, as its paper writes it.
type transcription struct{ p, m, v, beta1t, beta2t float64 }

func (s *transcription) step(kind Kind, g, lr float64) {
	switch kind {
	case SGD:
		s.p -= lr * g
	case RMSprop: // Tieleman and Hinton 2012, lecture 6.5: a running mean of the squared gradient
		s.v = 0.99*s.v + 0.01*g*g
		s.p -= lr * g / (math.Sqrt(s.v) + 1e-8)
	case Adam: // Kingma and Ba 2015, algorithm 1
		if s.beta1t == 0 {
			s.beta1t, s.beta2t = 1, 1
		}
		s.beta1t *= 0.9
		s.beta2t *= 0.999
		s.m = 0.9*s.m + (1-0.9)*g
		s.v = 0.999*s.v + (1-0.999)*g*g
		mHat, vHat := s.m/(1-s.beta1t), s.v/(1-s.beta2t)
		s.p -= lr * mHat / (math.Sqrt(vHat) + 1e-8)
	}
}

var kinds = []Kind{SGD, RMSprop, Adam}

// TestPapers follows each optimiser for 50 steps, with its average. Per step p is rounded twice
// (1.2e-7 of its size, about 4), and a step of at most about 10 lr is off by 1e-6 of itself: some
// sixteen roundings of its parts. Weight decay rounds p once more, in the place of one of the four.
func TestPapers(t *testing.T) {
	const n, steps, decay = 67, 50, 0.95
	for i, kind := range slices.Concat(kinds, kinds) {
		p := normals(n, 0)
		o, err := start(kind, p, decay)
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(kinds) {
			o.WeightDecay, o.Spared = 0.5, Spared{Lo: 13, Hi: 40}
		}
		want, average := make([]transcription, n), make([]float64, n)
		for i := range want {
			want[i].p, average[i] = float64(p[i]), float64(p[i])
		}
		for step := 1; step <= steps; step++ {
			g := normals(n, uint32(step))
			lr := 0.01 / float64(step) * 3
			o.Begin(lr)
			o.Apply(p, g, memory.Span(0, n))
			d := min(decay, float64(1+step)/float64(10+step))
			for i := range want {
				// Loshchilov and Hutter 2019, algorithm 2, with lr in its schedule
				if i < o.Spared.Lo || i >= o.Spared.Hi {
					want[i].p -= lr * o.WeightDecay * want[i].p
				}
				want[i].step(kind, float64(g[i]), lr)
				average[i] = d*average[i] + (1-d)*want[i].p
				tol := float64(step)*2.4e-7*4 + 1e-6*0.3
				if beyond(float64(p[i])-want[i].p, tol) ||
					beyond(float64(o.EMA[i])-average[i], tol) {
					t.Fatalf("%s, decay %v, step %d, element %d: p %v, average %v; want %v, %v "+
						"within %.2g",
						kind, o.WeightDecay, step, i, p[i], o.EMA[i], want[i].p, average[i], tol)
				}
			}
		}
		if o.Steps[0] != steps {
			t.Errorf("%s: %d steps counted", kind, o.Steps[0])
		}
	}
}

// TestFirstAdamStep: the bias corrections make the first step lr times the sign of the gradient,
// whatever its size.
func TestFirstAdamStep(t *testing.T) {
	p, g := make([]float32, 4), []float32{1e-3, -1e-3, 50, -50}
	o, err := start(Adam, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	o.Begin(0.1)
	o.Apply(p, g, memory.Span(0, 4))
	for i, v := range p {
		if want := -math.Copysign(0.1, float64(g[i])); beyond(float64(v)-want, 2e-6) {
			t.Errorf("gradient %v: step %v, want %v", g[i], v, want)
		}
	}
}

// TestWarmUp: while p stands still from the second step on, the average closes the gap to it by
// the factor min(decay, (1+t)/(10+t)) of step t.
func TestWarmUp(t *testing.T) {
	for _, decay := range []float64{0.5, 0.999} {
		p := []float32{0}
		o, err := start(SGD, p, decay)
		if err != nil {
			t.Fatal(err)
		}
		p[0] = 1
		gap := 1.0
		for step := 1.0; step <= 60; step++ {
			o.Begin(1)
			o.Apply(p, []float32{0}, memory.Span(0, 1))
			gap *= min(decay, (1+step)/(10+step))
			if beyond(1-float64(o.EMA[0])-gap, 1e-5) {
				t.Fatalf("decay %v, step %v: average %v, want %v", decay, step, o.EMA[0], 1-gap)
			}
		}
	}
}

// TestPieces: a step applied in pieces, in any order, has the bits of the whole.
func TestPieces(t *testing.T) {
	const n = 100
	for _, kind := range kinds {
		p, q := normals(n, 0), normals(n, 0)
		whole, err := start(kind, p, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := start(kind, q, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		for step := uint32(1); step <= 5; step++ {
			g := normals(n, step)
			whole.Begin(0.01)
			whole.Apply(p, g, memory.Span(0, n))
			pieces.Begin(0.01)
			for _, block := range []memory.Block{
				memory.Span(33, 34), memory.Span(0, 33), {At: 51, Rows: 7, Cols: 3, Stride: 7},
				{At: 34, Rows: 2, Cols: 7, Stride: 7}, {At: 48, Rows: 1, Cols: 3, Stride: 7},
				{At: 54, Rows: 7, Cols: 4, Stride: 7}, memory.Span(n, n),
			} {
				pieces.Apply(q, g, block)
			}
		}
		if !slices.Equal(p, q) || !slices.Equal(whole.M, pieces.M) ||
			!slices.Equal(whole.V, pieces.V) || !slices.Equal(whole.EMA, pieces.EMA) {
			t.Errorf("%s: pieces differ from the whole", kind)
		}
	}
}

// TestState: the moments that a kind needs, and no others, are there to be saved.
func TestState(t *testing.T) {
	p := normals(5, 0)
	for _, kind := range kinds {
		o, err := start(kind, p, 0)
		if err != nil {
			t.Fatal(err)
		}
		if (len(o.M) == 5) != (kind == Adam) || (len(o.V) == 5) != (kind != SGD) ||
			o.EMA != nil || len(o.Steps) != 1 {
			t.Errorf("%s: %d first and %d second moments, average %v", kind, len(o.M),
				len(o.V), o.EMA)
		}
		if &o.Averaged(p)[0] != &p[0] {
			t.Errorf("%s without an average: Averaged is not the buffer", kind)
		}
		if o, err = start(kind, p, 0.9); err != nil || !slices.Equal(o.EMA, p) ||
			&o.EMA[0] == &p[0] || &o.Averaged(p)[0] != &o.EMA[0] {
			t.Errorf("%s: the average does not start as a copy of the buffer", kind)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	o, err := New(nil, "adamw", 0, 0)
	if o != nil || err == nil {
		t.Fatalf("%v, %v", o, err)
	}
	for _, part := range []string{`"adamw"`, `"adam"`, `"rmsprop"`, `"sgd"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %s", err, part)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	const n = 50
	p, g := normals(n, 0), normals(n, 1)
	for _, kind := range kinds {
		o, err := start(kind, p, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if a := testing.AllocsPerRun(10, func() {
			o.Begin(0.01)
			o.Apply(p, g, memory.Span(0, n))
		}); a != 0 {
			t.Errorf("%s: %v allocations", kind, a)
		}
	}
}
