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

// Gradient runs rows lo to hi of a batch, whose latents are z (hi-lo x d), forward and backward
// through the decoder. It writes the gradient of -log p(x|z) by z into g (hi-lo x d), and the
// squared error |g(z) - x|^2 of each row into square. Afterwards t is ready for Grad.
//
// square (one number per row) and x (the images, of Dim numbers each) are those of the whole batch.
// Row i belongs to image i/particles.
func (l Gaussian) Gradient(t model.Tape, lo, hi, particles int, z, x, square, g []float32) {
	phase.DecoderForward.Enter()
	copy(t.In(lo, hi), z)
	t.Forward(lo, hi)
	phase.DecoderBackward.Enter()
	out := t.Out(lo, hi)
	scale := float32(1 / (l.Sigma * l.Sigma))
	kernel.DataResidual(out, square[lo:hi], out, x, lo, particles, l.Dim, scale)
	t.Backward(lo, hi, g)
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
