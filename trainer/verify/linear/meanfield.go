package linear

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
)

// meanField is a one-dimensional model x = w z + noise with prior N(0, s) in training, in the
// limit of many particles and points. The second moments over particles and data of (u, z, x), u
// being the velocity, follow a closed recursion, and w and log s descend the exact gradients of
// their losses. A finite cloud adds terms of order 1/(N M) to the expectations.
type meanField struct {
	w, s           float64
	moments        *mat.Dense // of (u, z, x)
	mover          mover
	lr             float64
	noise          float64 // sigma_x
	prior          priorDrift
	learnW, learnS bool
}

// priorDrift is the prior's drift of the particles: that of the bound for N(0, s) with the noise
// of a single draw, or pgd's exact one for N(0, 1).
type priorDrift struct {
	bound   bool
	process diffusion.Process
	cv      bool
}

// linear returns the precision q of the mean drift q z, and the coefficients of its variance
// v0 + v2 z^2.
func (p priorDrift) linear(s float64) (q, v0, v2 float64) {
	if !p.bound {
		return 1 / s, 0, 0
	}
	d := drift1{Process: p.process, s: s, controlVariate: p.cv}
	v0 = d.variance(0)
	return d.mean(1), v0, d.variance(1) - v0
}

func (f *meanField) step() {
	q, v0, v2 := f.prior.linear(f.s)
	precision := 1 / (f.noise * f.noise)
	p, pull, m := f.w*f.w*precision+q, f.w*precision, f.mover
	xz, zz := f.moments.At(1, 2), f.moments.At(1, 1)
	move := mat.NewDense(3, 3, []float64{
		m.keep, -m.phiU * p, m.phiU * pull,
		m.carry, 1 - m.phiZ*p, m.phiZ * pull,
		0, 0, 1,
	})
	if f.learnS { // w, s and the particles all move from the state at the start of the step
		_, byLogS := drift1{Process: f.prior.process, s: f.s}.thetaGradient(0, zz, one)
		f.s *= math.Exp(-f.lr * byLogS)
	}
	if f.learnW {
		f.w -= f.lr * precision * (f.w*zz - xz)
	}
	var next mat.Dense
	next.Product(move, f.moments, move.T())
	v := v0 + v2*zz
	noise := mat.NewDense(3, 3, []float64{
		m.quu + m.phiU*m.phiU*v, m.quz + m.phiU*m.phiZ*v, 0,
		m.quz + m.phiU*m.phiZ*v, m.qzz + m.phiZ*m.phiZ*v, 0,
		0, 0, 0,
	})
	next.Add(&next, noise)
	f.moments.Copy(&next)
}

// marginal is the model's variance of x.
func (f *meanField) marginal() float64 { return f.w*f.w*f.s + f.noise*f.noise }

// momentsOf returns the second moments of (u, z, x) in column c for a cloud at rest with N
// particles of each point.
func momentsOf(z []float32, data data.Table, c int) *mat.Dense {
	n, points := len(z)/data.D, data.Len()
	var zz, xz, xx float64
	for i := range n {
		v, x := float64(z[i*data.D+c]), float64(data.X[i*points/n*data.D+c])
		zz, xz, xx = zz+v*v/float64(n), xz+x*v/float64(n), xx+x*x/float64(n)
	}
	return mat.NewDense(3, 3, []float64{0, 0, 0, 0, zz, xz, 0, xz, xx})
}

// pgdLimit is the limit of the marginal variance of a learned w, for particles with step size h
// and data of variance lambda. Since the variance of the particles is biased, 1/(p (1 - h p/2)),
// it is lambda/(1 + h lambda/(2 sigma^2)) instead of lambda.
func pgdLimit(lambda, h, noise float64) float64 { return lambda / (1 + h*lambda/(2*noise*noise)) }
