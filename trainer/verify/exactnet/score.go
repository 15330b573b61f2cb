// Package exactnet has networks whose output is known in closed form, for the place of decoder and score:
// training sees no difference.
package exactnet

import (
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Law is a prior over latents whose noised score is known in closed form, in float64. Its functions
// are called for many rows at once and change nothing but what they are given.
type Law interface {
	Dim() int
	Layout() *model.Layout
	// bind reads the parameters.
	bind(p []float32) noised
}

// noised is a law at given parameters.
type noised interface {
	// eps writes sigma C^-1 (z - alpha m), or what stands for it: minus sigma times the score of
	// alpha z_0 + sigma eps at z.
	eps(dst, z []float64, alpha, sigma float64)
	// backward writes, for the gradient g by eps, that by z into dz and that by the parameters into
	// grad.
	backward(dz, grad, z, g []float64, alpha, sigma float64)
}

// Score is a law as the network that training sees, r = eps - sigma z, parameters included.
type Score struct{ Law }

func (s Score) In() int              { return s.Dim() }
func (Score) PackedBytes(bool) int64 { return 0 }

// TapeBytes implements model.ScoreNet.
func (s Score) TapeBytes(rows int) int64 {
	return memory.Array[float32](rows, 1+2*s.Dim()) + memory.Array[float64](rows, s.Layout().Size())
}

// NewScoreTape implements model.ScoreNet.
func (s Score) NewScoreTape(p []float32, rows int) model.ScoreTape {
	n := rows * s.Dim()
	return &scoreTape{
		Law: s.Law, p: p, d: s.Dim(), size: s.Layout().Size(), lambda: make([]float32, rows),
		in: make([]float32, n), out: make([]float32, n), grads: make([]float64, rows*s.Layout().Size()),
	}
}

// scoreTape keeps each row's gradient by the parameters, in float64, until Grad adds them up.
type scoreTape struct {
	Law
	p               []float32
	d, size         int
	now             noised
	lambda, in, out []float32
	grads           []float64
}

func (t *scoreTape) PackTasks(bool) int { return 1 }
func (t *scoreTape) Pack(int)           { t.now = t.bind(t.p) }

func (t *scoreTape) In(lo, hi int) []float32     { return t.in[lo*t.d : hi*t.d] }
func (t *scoreTape) Out(lo, hi int) []float32    { return t.out[lo*t.d : hi*t.d] }
func (t *scoreTape) Lambda(lo, hi int) []float32 { return t.lambda[lo:hi] }

func (t *scoreTape) Forward(lo, hi int) {
	z, eps := make([]float64, t.d), make([]float64, t.d)
	for i := lo; i < hi; i++ {
		alpha, sigma := levels(t.lambda[i])
		Widen(z, t.In(i, i+1))
		t.now.eps(eps, z, alpha, sigma)
		for j, e := range eps {
			t.out[i*t.d+j] = float32(e - sigma*z[j])
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
	z, g, dz := make([]float64, t.d), make([]float64, t.d), make([]float64, t.d)
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
			din[(i-lo)*t.d+j] = float32(v - sigma*g[j])
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
