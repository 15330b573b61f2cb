package likelihood

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
)

// Clipped is p(x|z) = N(x; clip(g(z)), Sigma^2 I) for rows of numbers in [-1, 1], where clip cuts
// the decoder's outputs off at -1 and 1. Many pixels of pictures are black or white: such a pixel
// is met by all outputs beyond the limit, so that the decoder need not learn to hit it.
//
// The derivative of clip is zero beyond the limits, where an output could not find its way back.
// So Gradient is not that of -log p but of its bound from above (c = clip(y), e = c - x)
//
//	U(y) = [e^2/2 + (y - c) e] / Sigma^2 + constant,    dU/dy = e / Sigma^2,
//
// summed over the numbers. (y - c) e >= 0 because x is in [-1, 1], so that U >= -log p, with
// equality where y is in [-1, 1] or x is the limit beyond which y lies. U is convex in y.
type Clipped struct{ Gaussian }

// Gradient implements Likelihood: losses are -log p, gradients those of U.
func (l Clipped) Gradient(t *model.Tape, r Rows) {
	pass, now := r.forward(t)
	defer now.End()
	defer pass.Release()
	kernel.Clip(pass.Out())
	l.backward(pass, r)
}

// NegLog implements Likelihood.
func (l Clipped) NegLog(out, x []float32, missing []bool) float64 {
	mean := make([]float32, len(out))
	l.Mean(mean, out)
	return l.Gaussian.NegLog(mean, x, missing)
}

// Mean implements Likelihood.
func (l Clipped) Mean(mean, out []float32) {
	copy(mean, out)
	kernel.Clip(mean)
}

// Draw implements Likelihood.
func (l Clipped) Draw(x, out, normal []float32) {
	l.Mean(x, out)
	l.Gaussian.Draw(x, x, normal)
}
