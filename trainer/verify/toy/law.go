package toy

import (
	"math"

	"github.com/plume-ml/plume/trainer/particle"
)

// seen is how many numbers of the law are compared: theta, the mean latent X_b of each part, and
// the mean velocity U_b of each if particles have velocities. Means over particles and datapoints
// suffice because all of them obey the same linear equation with independent noise.
func (t toy) seen() int {
	if t.dynamics == particle.Overdamped {
		return 1 + t.parts
	}
	return 1 + 2*t.parts
}

// momentum is the place of theta's momentum in the law.
func (t toy) momentum() int { return t.seen() }

// total is the place of the sum of those X that theta learns from in a step.
func (t toy) total() int { return t.seen() + 1 }

// size is how many numbers the law has.
func (t toy) size() int { return t.seen() + 2 }

// startLaw is the law of theta = start with particles at rest whose positions are N(0, 1).
func (t toy) startLaw() law {
	l := newLaw(t.size())
	l.mean.SetVec(0, t.start)
	for b := range t.parts {
		l.cov.Set(1+b, 1+b, 1/t.rows())
	}
	return l
}

// rows is the number of particles of a minibatch.
func (t toy) rows() float64 { return float64(t.points / t.parts * t.particles) }

// couple is the sign of theta in the residual: in the prior's, x - theta, or with non-centred
// latents in the decoder's, z + theta - y.
func (t toy) couple() float64 {
	if t.noncentred {
		return 1
	}
	return -1
}

// push adds -amount g to number i, where g = 2 X_b + couple theta - y_b is the drift of part b.
func (t toy) push(m affine, i, b int, amount float64) {
	m.add(i, 1+b, -2*amount)
	m.add(i, 0, -t.couple()*amount)
	m.b.SetVec(i, m.b.AtVec(i)+amount*t.partMean(b))
}

// move is a Langevin move of part b.
func (t toy) move(b int) affine {
	m := stay(t.size())
	x, u := 1+b, 1+t.parts+b
	switch t.dynamics {
	case particle.Overdamped: // X' = X - h g + sqrt(2h/rows) xi
		t.push(m, x, b, t.h)
		m.noise(x, x, 2*t.h/t.rows())
	case particle.Underdamped: // U' = (1 - f) U - h g + sqrt(2 f h/rows) xi, X' = X + U'
		t.push(m, u, b, t.h)
		m.add(u, u, -t.friction)
		t.push(m, x, b, t.h)
		m.add(x, u, 1-t.friction)
		for _, pair := range [][2]int{{u, u}, {x, x}, {x, u}} {
			m.noise(pair[0], pair[1], 2*t.friction*t.h/t.rows())
		}
	case particle.Exact:
		t.transition(m, x, u, b)
	}
	return m
}

// transition is the exact transition of dz = u dt, du = -gamma u dt - g dt + sqrt(2 gamma) dW over
// a time tau at constant g, as in ALGORITHM.md, section 7, with eta = 1. With s = exp(-gamma tau),
// the friction is 1 - s, and ((1-s)/gamma)^2 = h.
func (t toy) transition(m affine, x, u, b int) {
	s := 1 - t.friction
	gamma := t.friction / math.Sqrt(t.h)
	tau := -math.Log(s) / gamma
	m.add(x, u, (1-s)/gamma)
	t.push(m, x, b, (tau-(1-s)/gamma)/gamma)
	m.add(u, u, s-1)
	t.push(m, u, b, (1-s)/gamma)
	m.noise(x, x, (2*tau-s*s/gamma+4*s/gamma-3/gamma)/gamma/t.rows())
	m.noise(u, u, (1-s*s)/t.rows())
	m.noise(x, u, (1-2*s+s*s)/gamma/t.rows())
}

// learn adds a step of theta to m, on the gradient G = theta - share s_i, or theta + share s_i -
// y_b with non-centred latents. It is plain descent with noise, or mpgd's exponential integrator
// for the look-ahead point p = theta + r v, r^2 = rate:
//
//	v' = (1 - f) v - r G,   p' = p - c G + r v',   c = rate (-log(1-f) - f)/f^2
func (t toy) learn(m affine, i, b int, share float64) {
	descend := func(j int, amount float64) {
		m.add(j, 0, -amount)
		m.add(j, i, -t.couple()*share*amount)
		if t.noncentred {
			m.b.SetVec(j, m.b.AtVec(j)+amount*t.partMean(b))
		}
	}
	m.noise(0, 0, t.heat*2*t.rate()/float64(t.points*t.particles))
	if t.drag == 0 {
		descend(0, t.rate())
		return
	}
	v, f, r := t.momentum(), t.drag, math.Sqrt(t.rate())
	c := t.rate() * (-math.Log(1-f) - f) / (f * f)
	descend(v, r)
	m.add(v, v, -f)
	descend(0, c+r*r)
	m.add(0, v, r*(1-f))
}

// step is a training step on part b.
func (t toy) step(b int) affine {
	m := stay(t.size())
	if t.cold {
		m.a.Set(1+b, 1+b, 0)
		m.noise(1+b, 1+b, 1/t.rows())
	}
	move := t.move(b)
	if !t.follows {
		for range t.inner - 1 {
			m = m.then(move)
		}
		joint := t.move(b)
		t.learn(joint, 1+b, b, 1) // from the state before the last move
		return m.then(joint)
	}
	sum := stay(t.size())
	sum.add(t.total(), 1+b, 1)
	for range t.inner {
		m = m.then(move)
		if t.average {
			m = m.then(sum)
		}
	}
	last := stay(t.size())
	if t.average {
		t.learn(last, t.total(), b, 1/float64(t.inner))
	} else {
		t.learn(last, 1+b, b, 1)
	}
	last.a.Set(t.total(), t.total(), 0)
	return m.then(last)
}

// after is the exact law after k steps.
func (t toy) after(k int) law {
	l := t.startLaw()
	for i := range k {
		l = t.step(i % t.parts).apply(l)
	}
	return l
}

// stationary is the law after many epochs.
func (t toy) stationary() law {
	m := stay(t.size())
	for b := range t.parts {
		m = m.then(t.step(b))
	}
	return m.stationary()
}

// slow is the smaller curvature of the flow of (theta, X) for one minibatch: the eigenvalue
// ((D+2) - sqrt(D^2+4))/2 of ALGORITHM.md, section 8.1.
func (t toy) slow() float64 { return (float64(t.points+2) - t.root()) / 2 }

// fast is the larger one, ((D+2) + sqrt(D^2+4))/2.
func (t toy) fast() float64 { return (float64(t.points+2) + t.root()) / 2 }

func (t toy) root() float64 { return math.Sqrt(float64(t.points*t.points + 4)) }

// contraction is the factor of the error per step.
func (t toy) contraction() float64 {
	return max(math.Abs(1-t.h*t.slow()), math.Abs(1-t.h*t.fast()))
}

// limit is the step size beyond which the flow is unstable.
func (t toy) limit() float64 { return (float64(t.points+2) - t.root()) / float64(t.points) }

// best is the step size of the strongest contraction.
func (t toy) best() float64 { return 2 / float64(t.points+2) }

// limitVariance is the stationary variance of theta for h -> 0: 1/(N (D+2)), or with ipla's noise
// 2/(N D), the variance under the likelihood to the power N.
func (t toy) limitVariance() float64 {
	if t.heat > 0 {
		return 2 / float64(t.particles*t.points)
	}
	return 1 / float64(t.particles*(t.points+2))
}
