package verify

import (
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// latentLaw is a prior over latents whose noised score is known in closed form, in float64. Its functions
// are called for many rows at once and change nothing but what they are given.
type latentLaw interface {
	dim() int
	layout() *model.Layout
	// bind reads the parameters.
	bind(p []float32) noisedLaw
}

// noisedLaw is a law at given parameters.
type noisedLaw interface {
	// eps writes sigma C^-1 (z - alpha m), or what stands for it: minus sigma times the score of
	// alpha z_0 + sigma eps at z.
	eps(dst, z []float64, alpha, sigma float64)
	// backward writes, for the gradient g by eps, that by z into dz and that by the parameters into
	// grad.
	backward(dz, grad, z, g []float64, alpha, sigma float64)
}

// exactScore is a law as the network that training sees, r = eps - sigma z, parameters included.
type exactScore struct{ latentLaw }

func (s exactScore) In() int               { return s.dim() }
func (s exactScore) Layout() *model.Layout { return s.layout() }
func (exactScore) PackedBytes(bool) int64  { return 0 }

// TapeBytes implements model.ScoreNet.
func (s exactScore) TapeBytes(rows int) int64 {
	return memory.Array[float32](rows, 1+2*s.dim()) + memory.Array[float64](rows, s.layout().Size())
}

// NewScoreTape implements model.ScoreNet.
func (s exactScore) NewScoreTape(p []float32, rows int) model.ScoreTape {
	n := rows * s.dim()
	return &exactTape{
		latentLaw: s.latentLaw, p: p, d: s.dim(), size: s.layout().Size(), lambda: make([]float32, rows),
		in: make([]float32, n), out: make([]float32, n), grads: make([]float64, rows*s.layout().Size()),
	}
}

// exactTape keeps each row's gradient by the parameters, in float64, until Grad adds them up.
type exactTape struct {
	latentLaw
	p               []float32
	d, size         int
	now             noisedLaw
	lambda, in, out []float32
	grads           []float64
}

func (t *exactTape) PackTasks(bool) int { return 1 }
func (t *exactTape) Pack(int)           { t.now = t.bind(t.p) }

func (t *exactTape) In(lo, hi int) []float32     { return t.in[lo*t.d : hi*t.d] }
func (t *exactTape) Out(lo, hi int) []float32    { return t.out[lo*t.d : hi*t.d] }
func (t *exactTape) Lambda(lo, hi int) []float32 { return t.lambda[lo:hi] }

func (t *exactTape) Forward(lo, hi int) {
	z, eps := make([]float64, t.d), make([]float64, t.d)
	for i := lo; i < hi; i++ {
		alpha, sigma := levels(t.lambda[i])
		widen(z, t.In(i, i+1))
		t.now.eps(eps, z, alpha, sigma)
		for j, e := range eps {
			t.out[i*t.d+j] = float32(e - sigma*z[j])
		}
	}
}

func (t *exactTape) ForwardAt(lo, hi int, lambda float32) {
	for i := lo; i < hi; i++ {
		t.lambda[i] = lambda
	}
	t.Forward(lo, hi)
}

func (t *exactTape) Backward(lo, hi int, din []float32) {
	z, g, dz := make([]float64, t.d), make([]float64, t.d), make([]float64, t.d)
	for i := lo; i < hi; i++ {
		alpha, sigma := levels(t.lambda[i])
		widen(z, t.In(i, i+1))
		widen(g, t.Out(i, i+1))
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

func (t *exactTape) GradTasks() int { return min(1, t.size) }

func (t *exactTape) Grad(_ int, grad []float32, rows int, scale float32) {
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

// fixedScore is a score network whose parameters are not trained.
type fixedScore struct {
	model.ScoreNet
	p []float32
}

func (fixedScore) Layout() *model.Layout { return &model.Layout{} }

func (s fixedScore) NewScoreTape(_ []float32, rows int) model.ScoreTape {
	return fixedScoreTape{s.ScoreNet.NewScoreTape(s.p, rows)}
}

type fixedScoreTape struct{ model.ScoreTape }

func (fixedScoreTape) GradTasks() int { return 0 }

// fixedNet is a network whose parameters are not trained.
type fixedNet struct {
	model.Net
	p []float32
}

func (fixedNet) Layout() *model.Layout { return &model.Layout{} }

func (n fixedNet) NewTape(_ []float32, rows int) model.Tape {
	return fixedTape{n.Net.NewTape(n.p, rows)}
}

type fixedTape struct{ model.Tape }

func (fixedTape) GradTasks() int { return 0 }

// levels are alpha and sigma of a log-SNR.
func levels(lambda float32) (alpha, sigma float64) {
	return diffusion.Alpha(float64(lambda)), diffusion.Sigma(float64(lambda))
}

func widen(dst []float64, x []float32) {
	for i, v := range x {
		dst[i] = float64(v)
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// logNormal is log N(x; 0, v).
func logNormal(square, v float64) float64 { return -(square/v + math.Log(2*math.Pi*v)) / 2 }
