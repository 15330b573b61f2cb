// Package likelihood is the density p(x|z) of a row of data given the decoder's output for its
// latent.
package likelihood

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
)

// Gaussian is p(x|z) = N(x; g(z), Sigma^2 I), where g is the decoder and x a row of Dim numbers.
type Gaussian struct {
	Sigma float64
	Dim   int
}

// Rows are rows Lo to Hi of a batch. Row i belongs to image i/Particles.
type Rows struct {
	Lo, Hi, Particles int
	Z                 []float32 // latents of these rows, Hi-Lo x d
	X                 []float32 // images of the whole batch, of Dim numbers each
	// Condition is what each image is to be like, rows as wide as the decoder's input
	// [model.Condition], for the whole batch; nil: no conditions.
	Condition []float32
	// Missing are the numbers of X that are not known, of the whole batch; nil: none. They have no
	// part in the likelihood, and may be any finite numbers.
	Missing []bool

	Square []float32 // of the whole batch: |g(z) - x|^2 of these rows is set, of what is known
	G      []float32 // set to the gradient of -log p(x|z) by z, Hi-Lo x d
}

// Gradient runs rows forward and backward through the decoder. Afterwards t is ready for Grad.
func (l Gaussian) Gradient(t *model.Tape, r Rows) {
	phase.DecoderForward.Enter()
	pass := t.Take(r.Lo, r.Hi)
	defer pass.Release()
	copy(pass.In(0), r.Z)
	pass.SetCondition(r.Condition, r.Lo, r.Particles)
	pass.Forward()
	phase.DecoderBackward.Enter()
	scale := float32(1 / (l.Sigma * l.Sigma))
	square := r.Square[r.Lo:r.Hi]
	if r.Missing != nil {
		r.excuse(pass.Out(), l.Dim)
	}
	kernel.DataResidual(pass.DOut(), square, pass.Out(), r.X, r.Lo, r.Particles, l.Dim, scale)
	pass.Backward(r.G)
}

// excuse makes the decoder's output for a missing number that number, so that it has no error.
func (r Rows) excuse(out []float32, dim int) {
	for i := r.Lo; i < r.Hi; i++ {
		image := i / r.Particles * dim
		row, x := out[(i-r.Lo)*dim:(i-r.Lo+1)*dim], r.X[image:image+dim]
		for j, missing := range r.Missing[image : image+dim] {
			if missing {
				row[j] = x[j]
			}
		}
	}
}

// NegLog is -log p(x|z) in nats, summed over rows of Dim numbers whose squared errors add up to
// square.
func (l Gaussian) NegLog(square, rows float64) float64 {
	variance := l.Sigma * l.Sigma
	return square/(2*variance) + rows*float64(l.Dim)/2*math.Log(2*math.Pi*variance)
}

// Without is the likelihood of a row without the numbers that are missing.
func (l Gaussian) Without(missing []bool) Gaussian {
	for _, m := range missing {
		if m {
			l.Dim--
		}
	}
	return l
}

// SquareError is |out - x|^2, summed in float64 over the numbers that are known: not those that are
// missing, if any are (nil: none).
func SquareError(out, x []float32, missing []bool) (square float64) {
	for i, v := range out {
		if missing == nil || !missing[i] {
			e := float64(v) - float64(x[i])
			square += e * e
		}
	}
	return square
}
