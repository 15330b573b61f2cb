package particle

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// newTransition returns the coefficients of the exact transition of the underdamped diffusion
//
//	dz = u dt,   du = -gamma u dt - g dt + sqrt(2 gamma) dW
//
// over a time tau with constant drift g (Cheng, Chatterji, Bartlett and Jordan 2018; used in MPGD
// by Lim, Kuntz, Power and Johansen 2024). With s = exp(-gamma tau) and b = (1-s)/gamma,
//
//	u' = s u - b g + nu,   z' = z + b u - (tau-b)/gamma g + nz,
//
// where the Gaussian noises nu and nz have the variances 1 - s^2 and (2 tau - s^2/gamma + 4s/gamma
// - 3/gamma)/gamma, and the covariance (1-s)^2/gamma. In equilibrium the velocity u is N(0, 1).
//
// Friction f and step size h determine gamma and tau by s = 1 - f and b^2 = h, so that a move
// reduces the displacement b u by the fraction f and adds -h g, as in the underdamped move. With
// L = -ln(1-f) this gives gamma = f/sqrt(h) and tau = sqrt(h) L/f, and sqrt(h) factors out:
//
//	u' = (1-f) u - y + sqrt(f(2-f)) xi1,   y = sqrt(h) g,
//	z' = z + sqrt(h) [(u + u')/(2-f) + (1/(2-f) - k) y + r xi2],
//
// where k = (L-f)/f^2 and r^2 = 2 (L - f - f^2/2)/f^2 - f/(2-f). This is the Cholesky factorisation
// of the covariance: the part of nz that depends on nu, nu/(2-f), is contained in u'. For small f,
// the differences L - f and L - f - f^2/2 nearly vanish, so logTail sums their series.
func newTransition(friction float64) *kernel.Transition {
	f, mean := friction, 1/(2-friction)
	return &kernel.Transition{
		Keep: float32(1 - f), Heat: float32(math.Sqrt(f * (2 - f))), Mean: float32(mean),
		Drift:  float32(mean - logTail(f, 2)),
		Rest:   float32(math.Sqrt(float64(2*f*logTail(f, 3)) - float64(f*mean))),
		Stream: streamPosition,
	}
}

// logTail is the sum of f^(j-n)/j over j >= n: -ln(1-f) without the first n-1 terms of its series,
// divided by f^n.
func logTail(f float64, n int) (sum float64) {
	if f > 0.5 {
		sum = -math.Log1p(-f)
		for j := 1; j < n; j++ {
			sum -= math.Pow(f, float64(j)) / float64(j)
		}
		return sum / math.Pow(f, float64(n))
	}
	power := 1.0
	for j := n; power > 1e-18; j++ {
		sum += power / float64(j)
		power *= f
	}
	return sum
}

// UseExact makes Move use the exact transition, whose velocities have unit variance in equilibrium.
// It requires a cloud with velocities and friction in (0, 1).
func (b *Batch) UseExact(friction float64) { b.exact = newTransition(friction) }
