package linear

import (
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
)

// drift1 is the drift of the bound in one dimension, for the exact score of N(m, s) and a single
// draw of log-SNR and noise. With c = alpha^2 s + sigma^2 and u = z - m, the residual is e =
// (alpha sigma u - alpha^2 s eps)/c.
type drift1 struct {
	diffusion.Process
	m, s           float64
	controlVariate bool
}

// at returns the drift at z as a + b eps, for a noise level.
func (d drift1) at(z, lambda float64) (a, b float64) {
	alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
	c, u := alpha*alpha*d.s+sigma*sigma, z-d.m
	e, noise := alpha*sigma*u/c, -alpha*alpha*d.s/c
	if !d.controlVariate {
		f := d.Span() * alpha * sigma / c
		return f*e + math.Pow(diffusion.Alpha(d.Min), 2)*z, f * noise
	}
	j := sigma/c - sigma // derivative of r
	r, rNoise := sigma*alpha*u/c-sigma*alpha*z, sigma*sigma/c-sigma*sigma
	f := d.Span() * alpha
	return f*(j*e+sigma*r) + math.Pow(diffusion.Alpha(d.Max), 2)*z, f * (j*noise + sigma*rNoise)
}

// mean is the closed form of ALGORITHM.md, section 8.2, with the term of lambda_min.
func (d drift1) mean(z float64) float64 {
	lo, hi := math.Pow(diffusion.Alpha(d.Min), 2), math.Pow(diffusion.Alpha(d.Max), 2)
	return (z-d.m)*(hi-lo)/((1+lo*(d.s-1))*(1+hi*(d.s-1))) + lo*z
}

// variance is v, the variance of a single draw.
func (d drift1) variance(z float64) float64 {
	square := exactnet.MeanOver(d.Process, func(lambda float64) float64 {
		a, b := d.at(z, lambda)
		return a*a + b*b
	})
	return square - math.Pow(d.mean(z), 2)
}

// thetaGradient is the gradient of theta's loss by m and by log s in one dimension, for a cloud of
// the given mean and variance. The loss is the mean over lambda of span/2 weight E|e|^2.
func (d drift1) thetaGradient(
	mean, variance float64, weight func(lambda float64) float64,
) (byMean, byLogS float64) {
	shift := mean - d.m
	u2 := variance + shift*shift
	each := func(lambda float64) (m, s float64) {
		a2, s2 := math.Pow(diffusion.Alpha(lambda), 2), math.Pow(diffusion.Sigma(lambda), 2)
		c := a2*d.s + s2
		f := d.Span() * weight(lambda)
		return -f * a2 * s2 * shift / (c * c), f * a2 * a2 * s2 * (d.s - u2) / (c * c * c) * d.s
	}
	byMean = exactnet.MeanOver(d.Process, func(l float64) float64 { m, _ := each(l); return m })
	byLogS = exactnet.MeanOver(d.Process, func(l float64) float64 { _, s := each(l); return s })
	return byMean, byLogS
}

// sech is the weight "simple": proportional to sech(lambda/2), with mean 1 over the range.
func sech(p diffusion.Process) func(float64) float64 {
	shape := func(lambda float64) float64 { return 1 / math.Cosh(lambda/2) }
	norm := exactnet.MeanOver(p, shape)
	return func(lambda float64) float64 { return shape(lambda) / norm }
}

// one is the weight "elbo".
func one(float64) float64 { return 1 }
