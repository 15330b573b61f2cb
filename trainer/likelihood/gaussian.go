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

	Square []float32 // of the whole batch: |g(z) - x|^2 of these rows is set
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
	kernel.DataResidual(pass.DOut(), square, pass.Out(), r.X, r.Lo, r.Particles, l.Dim, scale)
	pass.Backward(r.G)
}

// NegLog is -log p(x|z) in nats, summed over rows whose squared errors add up to square.
func (l Gaussian) NegLog(square, rows float64) float64 {
	variance := l.Sigma * l.Sigma
	return square/(2*variance) + rows*float64(l.Dim)/2*math.Log(2*math.Pi*variance)
}

// SquareError is |out - x|^2, summed in float64.
func SquareError(out, x []float32) (square float64) {
	for i, v := range out {
		e := float64(v) - float64(x[i])
		square += e * e
	}
	return square
}
