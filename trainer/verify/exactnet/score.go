// Package exactnet has networks whose output is known in closed form. They take the place of the
// decoder and of the score network in training, which is otherwise the same.
package exactnet

import (
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Law is a prior over latents whose score is known in closed form at every noise level. Its methods
// compute in float64 and may be called concurrently.
type Law interface {
	Dim() int
	Layout() *model.Layout
	// bind returns the law at parameters p.
	bind(p []float32) noised
}

// noised is a law at given parameters.
type noised interface {
	// eps writes -sigma times the score at z of alpha z_0 + sigma eps, where z_0 follows the law.
	eps(dst, z []float64, alpha, sigma float64)
	// backward takes the gradient g with respect to eps, and writes those with respect to z and to
	// the parameters into dz and grad.
	backward(dz, grad, z, g []float64, alpha, sigma float64)
}

// Score presents a law as a score network: its output is the residual r = eps - sigma z, and its
// parameters are those of the law.
type Score struct{ Law }

// In implements model.ScoreNet.
func (s Score) In() int { return s.Dim() }

// NewScoreTape implements model.ScoreNet.
func (s Score) NewScoreTape(a *memory.Arena, p []float32, rows int, _ model.Use) model.ScoreTape {
	size := s.Layout().Size()
	return &scoreTape{
		buffers: newBuffers(a, rows, s.Dim()), law: s.Law, p: p, size: size,
		lambda: a.Floats(memory.Activations, rows),
		grads:  a.Float64s(memory.Activations, rows, size),
	}
}

// scoreTape keeps the parameters' gradient of each row in float64 until Grad sums them.
type scoreTape struct {
	buffers
	law    Law
	p      []float32
	size   int // of p
	now    noised
	lambda []float32
	grads  []float64 // rows x size
}

func (t *scoreTape) PackTasks() int { return 1 }
func (t *scoreTape) Pack(int)       { t.now = t.law.bind(t.p) }
func (*scoreTape) CutFree() bool    { return true }

func (t *scoreTape) Lambda(lo, hi int) []float32 { return t.lambda[lo:hi] }

func (t *scoreTape) Forward(lo, hi int) {
	z, eps := make([]float64, t.width), make([]float64, t.width)
	for i := lo; i < hi; i++ {
		alpha, sigma := levels(t.lambda[i])
		Widen(z, t.In(i, i+1))
		t.now.eps(eps, z, alpha, sigma)
		for j, e := range eps {
			t.out[i*t.width+j] = float32(e - sigma*z[j])
		}
	}
}

func (t *scoreTape) ForwardAt(lo, hi int, lambda float32) {
	for i := lo; i < hi; i++ {
		t.lambda[i] = lambda
	}
	t.Forward(lo, hi)
}

func (t *scoreTape) Backward(lo, hi int, din []float32) {
	z, g, dz := make([]float64, t.width), make([]float64, t.width), make([]float64, t.width)
	for i := lo; i < hi; i++ {
		alpha, sigma := levels(t.lambda[i])
		Widen(z, t.In(i, i+1))
		Widen(g, t.Out(i, i+1))
		grad := t.grads[i*t.size : (i+1)*t.size]
		clear(grad)
		t.now.backward(dz, grad, z, g, alpha, sigma)
		if din == nil {
			continue
		}
		for j, v := range dz {
			din[(i-lo)*t.width+j] = float32(v - sigma*g[j])
		}
	}
}

func (t *scoreTape) GradTasks() int { return min(1, t.size) }

func (t *scoreTape) Grad(_ int, grad []float32, rows int, scale float32) {
	sum := make([]float64, t.size)
	for i := range rows {
		for k, v := range t.grads[i*t.size : (i+1)*t.size] {
			sum[k] += v
		}
	}
	for k, v := range sum {
		grad[k] = float32(float64(scale) * v)
	}
}
