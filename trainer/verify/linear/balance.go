package linear

import "github.com/plume-ml/plume/trainer/particle"

// methodFriction is the friction of the methods with momentum.
const methodFriction = 0.3

// atStationary is the limit of the marginal variance under the prior N(0, I) for particles at their
// stationary law, whose variance is V(P) at posterior precision P. In each leading direction the
// decoder's gradient vanishes where lambda/(sigma^2 P^2) = V(P).
func atStationary(dynamics particle.Dynamics, h float64) func(float64) float64 {
	return func(lambda float64) float64 {
		return balance(lambda, func(p float64) (reach, variance float64) {
			return 1, chain{mover: moverOf(dynamics, h, methodFriction), p: p}.stationary().zz
		})
	}
}

// shortRun is the limit for particles after K overdamped moves from N(0, 1).
func shortRun(h float64, moves int) func(float64) float64 {
	return func(lambda float64) float64 {
		return balance(lambda, func(p float64) (reach, variance float64) {
			c := chain{mover: moverOf(particle.Overdamped, h, 1), p: p, centre: 1}
			g := c.after(atStart(), moves)
			return g.z, g.zz
		})
	}
}

// balance finds the marginal variance w^2 + sigma^2 = sigma^2 P at which E[x z] = w E[z^2]. The
// mean of the particles is reach times the posterior mean w x/(sigma^2 P), and their variance is
// given:
//
//	reach lambda/(sigma^2 P) = reach^2 w^2 lambda/(sigma^4 P^2) + variance.
func balance(lambda float64, cloud func(p float64) (reach, variance float64)) float64 {
	s2 := factorNoise * factorNoise
	low, high := 1.0, 2*lambda/s2
	for range 60 {
		p := (low + high) / 2
		reach, variance := cloud(p)
		if reach*lambda/(s2*p) > reach*reach*(p-1)*lambda/(s2*p*p)+variance {
			low = p
		} else {
			high = p
		}
	}
	return s2 * low
}

// refitted is the limit if, after W, a prior N(0, S) is fitted to the second moments of the
// particles, lambda/(sigma^2 P) in each direction.
func refitted(first func(float64) float64) func(float64) float64 {
	return func(lambda float64) float64 {
		s2 := factorNoise * factorNoise
		p := first(lambda) / s2
		return s2*(p-1)*lambda/(s2*p) + s2
	}
}
