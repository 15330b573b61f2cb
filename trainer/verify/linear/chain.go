package linear

import (
	"math"

	"github.com/plume-ml/plume/trainer/particle"
)

// mover is one move of a particle against a drift g, as a linear map: with velocity u,
//
//	u' = keep u - phiU g + nu,   z' = z + carry u - phiZ g + nz,
//
// where (nu, nz) is Gaussian with variances quu, qzz and covariance quz.
type mover struct {
	keep, carry   float64
	phiU, phiZ    float64
	quu, quz, qzz float64
}

// underdampedMover is u' = (1-f) u - h g + sqrt(2 f h) xi, z' = z + u' (ALGORITHM.md, section 4,
// 7'). With friction 1 it is the overdamped move.
func underdampedMover(h, friction float64) mover {
	q := 2 * friction * h
	return mover{keep: 1 - friction, carry: 1 - friction, phiU: h, phiZ: h, quu: q, quz: q, qzz: q}
}

// exactMover is the transition over a time t of
//
//	du = -gamma u dt - g dt + sqrt(2 gamma) dW,   dz = u dt
//
// for constant g, from the integrals of the Ornstein-Uhlenbeck process. The friction is
// 1 - exp(-gamma t), and the step size (friction/gamma)^2.
func exactMover(h, friction float64) mover {
	gamma := friction / math.Sqrt(h)
	t := -math.Log1p(-friction) / gamma
	s := math.Exp(-gamma * t)
	b := (1 - s) / gamma
	return mover{
		keep: s, carry: b, phiU: b, phiZ: (t - b) / gamma,
		quu: 1 - s*s, quz: (1 - s) * (1 - s) / gamma, qzz: (2*t - (3-4*s+s*s)/gamma) / gamma,
	}
}

// moverOf returns the move of the dynamics of that name.
func moverOf(dynamics particle.Dynamics, h, friction float64) mover {
	switch dynamics {
	case particle.Overdamped:
		return underdampedMover(h, 1)
	case particle.Underdamped:
		return underdampedMover(h, friction)
	}
	return exactMover(h, friction)
}

// chain is a particle's coordinate whose drift is p (z - centre) plus noise of variance
// v0 + v1 z + v2 z^2. Its first two moments obey an exact recursion.
type chain struct {
	mover
	p, centre  float64
	v0, v1, v2 float64
}

// gauss is the mean and the covariance of velocity and position (u, z).
type gauss struct{ u, z, uu, uz, zz float64 }

// atStart is the law of a particle at rest whose position is N(0, 1).
func atStart() gauss { return gauss{zz: 1} }

// variance is the variance of the drift's noise, averaged over the law of the particle.
func (c chain) variance(g gauss) float64 { return c.v0 + c.v1*g.z + c.v2*(g.z*g.z+g.zz) }

func (c chain) step(g gauss) gauss {
	a, b, e, f := c.keep, -c.phiU*c.p, c.carry, 1-c.phiZ*c.p // of (u, z - centre)
	v := c.variance(g)
	return gauss{
		u: a*g.u + b*(g.z-c.centre), z: c.centre + e*g.u + f*(g.z-c.centre),
		uu: a*a*g.uu + 2*a*b*g.uz + b*b*g.zz + c.quu + c.phiU*c.phiU*v,
		uz: a*e*g.uu + (a*f+b*e)*g.uz + b*f*g.zz + c.quz + c.phiU*c.phiZ*v,
		zz: e*e*g.uu + 2*e*f*g.uz + f*f*g.zz + c.qzz + c.phiZ*c.phiZ*v,
	}
}

// after is the law after k moves.
func (c chain) after(g gauss, k int) gauss {
	for range k {
		g = c.step(g)
	}
	return g
}

// stationary iterates the recursion until it converges, which takes some 30/(p h) moves.
func (c chain) stationary() gauss {
	g := atStart()
	for range 1 << 20 {
		next := c.step(g)
		if math.Abs(next.zz-g.zz) <= 1e-14*g.zz && math.Abs(next.z-g.z) <= 1e-14*(1+math.Abs(g.z)) {
			return next
		}
		g = next
	}
	return g
}

// radius is the spectral radius of the recursion of the mean.
func (c chain) radius() float64 {
	f := 1 - c.phiZ*c.p
	half, det := (c.keep+f)/2, c.keep*f+c.phiU*c.p*c.carry
	if root := half*half - det; root > 0 {
		return math.Abs(half) + math.Sqrt(root)
	}
	return math.Sqrt(det)
}

// stableStep is the largest stable step size for a drift of slope p: 2/p overdamped, and
// 2 (2 - friction)/p underdamped.
func stableStep(dynamics particle.Dynamics, friction, p float64) float64 {
	low, high := 0.0, 100/p
	for range 100 {
		h := (low + high) / 2
		if (chain{mover: moverOf(dynamics, h, friction), p: p}).radius() < 1 {
			low = h
		} else {
			high = h
		}
	}
	return low
}
