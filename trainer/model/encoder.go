package model

import (
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
)

// Encoder is the network of q(z|x) = N(mean, diag exp(logvar)): an MLP whose output is the mean of
// each latent dimension, then the log-variance of each. The log-variance is the MLP's own output y,
// bounded smoothly as
//
//	logvar = y / sqrt(1 + (y/20)^2),
//
// so that standard deviations stay in (exp(-10), exp(10)) and nothing overflows. For y in [-6, 6]
// it differs from y by less than a twentieth of y.
type Encoder struct{ *MLP }

// logvarBound is the largest absolute value of a log-variance.
const logvarBound = 20

// NewEncoder describes an encoder of rows of dim numbers into the given number of latent
// dimensions, with the given hidden widths, from the input on. products is as in NewMLP.
func NewEncoder(products *blas.Backend, dim, latent int, widths ...int) *Encoder {
	all := append([]int{dim}, widths...)
	return &Encoder{NewMLP(products, append(all, 2*latent)...)}
}

// NewTape implements Net.
func (e *Encoder) NewTape(a *memory.Arena, p []float32, rows int, use Use) Tape {
	latent := e.Out() / 2
	return &encoderTape{
		Tape: e.MLP.NewTape(a, p, rows, use), latent: latent,
		slope: a.Floats(memory.Activations, rows, latent),
	}
}

// encoderTape keeps the derivative of each bounded log-variance by the MLP's output.
type encoderTape struct {
	Tape
	latent int
	slope  []float32
}

func (t *encoderTape) Forward(lo, hi int) {
	t.Tape.Forward(lo, hi)
	for i := lo; i < hi; i++ {
		v, slope := t.logvar(i), cut(t.slope, t.latent, i, i+1)
		for j, y := range v {
			root := math.Sqrt(1 + float64(y)*float64(y)/(logvarBound*logvarBound))
			v[j] = float32(float64(y) / root)
			slope[j] = float32(1 / (root * root * root))
		}
	}
}

func (t *encoderTape) Backward(lo, hi int, din []float32) {
	for i := lo; i < hi; i++ {
		v := t.logvar(i)
		for j, slope := range cut(t.slope, t.latent, i, i+1) {
			v[j] *= slope
		}
	}
	t.Tape.Backward(lo, hi, din)
}

// logvar is the second half of the output of a row.
func (t *encoderTape) logvar(row int) []float32 { return t.Out(row, row+1)[t.latent:] }
