package linear

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
)

// meanField is a one-dimensional model x = w z + noise with prior N(0, s) in training, as the limit of
// many particles and points sees it: the second moments of (u, z, x) over particles and data, with u the
// velocity, follow a recursion that is closed, and w and log s descend the losses' exact gradients.
// What a finite cloud adds to the expectation is of order 1/(N M).
type meanField struct {
	w, s           float64
	moments        *mat.Dense // of (u, z, x)
	mover          mover
	lr             float64
	noise          float64 // sigma_x
	prior          priorDrift
	learnW, learnS bool
}

// priorDrift is how particles feel N(0, s): by the bound with its single-draw noise, or as pgd's
// exact N(0, 1).
type priorDrift struct {
	bound   bool
	process diffusion.Process
	cv      bool
}

// linear are the precision q of the mean drift q z, and its variance v0 + v2 z^2.
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
	move := mat.NewDense(3, 3, []float64{m.keep, -m.phiU * p, m.phiU * pull, m.carry, 1 - m.phiZ*p, m.phiZ * pull, 0, 0, 1})
	if f.learnS { // at the state of the step's start, as w and the particles
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
		m.quu + m.phiU*m.phiU*v, m.quz + m.phiU*m.phiZ*v, 0, m.quz + m.phiU*m.phiZ*v, m.qzz + m.phiZ*m.phiZ*v, 0, 0, 0, 0,
	})
	next.Add(&next, noise)
	f.moments.Copy(&next)
}

// marginal is the model's variance of x.
func (f *meanField) marginal() float64 { return f.w*f.w*f.s + f.noise*f.noise }

// momentsOf are the second moments of (u, z, x) of column c of a cloud at rest, N particles a point.
func momentsOf(z []float32, data data.Table, c int) *mat.Dense {
	n, points := len(z)/data.D, data.Len()
	var zz, xz, xx float64
	for i := range n {
		v, x := float64(z[i*data.D+c]), float64(data.X[i*points/n*data.D+c])
		zz, xz, xx = zz+v*v/float64(n), xz+x*v/float64(n), xx+x*x/float64(n)
	}
	return mat.NewDense(3, 3, []float64{0, 0, 0, 0, zz, xz, 0, xz, xx})
}

// pgdLimit is where the marginal variance of a learned w tends to, for particles of step size h and a
// variance of the data of lambda: by the bias of their variance, 1/(p (1 - h p/2)), to
// lambda/(1 + h lambda/(2 sigma^2)) in place of lambda.
func pgdLimit(lambda, h, noise float64) float64 { return lambda / (1 + h*lambda/(2*noise*noise)) }
