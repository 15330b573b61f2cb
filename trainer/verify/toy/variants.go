package toy

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// lawCase is a model whose law is checked after the given numbers of steps.
type lawCase struct {
	what string
	toy
	at []int
}

// cases trains the models and checks their laws.
func cases(l *lab.Lab, cases ...lawCase) error {
	for _, c := range cases {
		if err := laws(l.Branch(c.what), c.what, c.toy, c.at...); err != nil {
			return err
		}
	}
	return nil
}

// minibatches checks the laws of steps on parts of the data, of several moves for each step of
// theta, and of theta in the decoder.
func minibatches(l *lab.Lab) error {
	minibatches := standard(0.1)
	minibatches.points, minibatches.parts = 6, 3
	inner := standard(0.1)
	inner.inner = 3
	decoder := minibatches
	decoder.noncentred = true
	return cases(l,
		lawCase{"pgd, B = M/3", minibatches, []int{7, 60}},
		lawCase{"pgd, 3 moves per step", inner, []int{1, 40}},
		lawCase{"pgd, theta in the decoder, B = M/3", decoder, []int{7, 60}},
	)
}

// velocities is the model whose particles have velocities.
func velocities(dynamics particle.Dynamics, h float64) toy {
	t := standard(h)
	t.dynamics, t.friction = dynamics, 0.4
	return t
}

// withVelocities checks the laws of particles with velocities, for both transitions.
func withVelocities(l *lab.Lab) error {
	at := []int{2, 5, 60}
	return cases(l,
		lawCase{"pgd, underdamped", velocities(particle.Underdamped, 0.05), at},
		lawCase{"pgd, exact transition", velocities(particle.Exact, 0.05), at},
	)
}

// settledVariances checks the stationary variance of theta for both transitions.
func settledVariances(l *lab.Lab) error {
	for _, dynamics := range []particle.Dynamics{particle.Underdamped, particle.Exact} {
		what, t := fmt.Sprintf("pgd, %s, h = 0.01", dynamics), velocities(dynamics, 0.01)
		if _, _, err := stationaryVariance(l, what, t, replicates(l)); err != nil {
			return err
		}
	}
	return nil
}

// noisy is the model under ipla.
func noisy(h float64) toy {
	t := standard(h)
	t.method, t.heat = "ipla", 1
	return t
}

// noisyParameters checks the law of ipla's theta.
func noisyParameters(l *lab.Lab) error {
	return cases(l, lawCase{"ipla, h = 0.1", noisy(0.1), []int{1, 60}})
}

// likelihoodSpread checks that theta is N(mean y, 2/(N D)) as h -> 0, with a bias of order h.
func likelihoodSpread(l *lab.Lab) error {
	var bias points
	limit := noisy(0).limitVariance()
	for _, h := range []float64{0.02, 0.04, 0.08} {
		t := noisy(h)
		v, se, err := stationaryVariance(l, fmt.Sprintf("ipla, h = %v", h), t, 2*replicates(l))
		if err != nil {
			return err
		}
		bias.add(h, v/limit-1, se/limit, t.stationary().cov.At(0, 0)/limit-1)
	}
	power(l, "ipla: order in h of the bias of N D/2 Var theta (1 as h -> 0)", bias)
	return nil
}

// momentum checks mpgd, with minibatches and without.
func momentum(l *lab.Lab) error {
	t := standard(0.02)
	t.method, t.dynamics, t.friction, t.drag = "mpgd", particle.Exact, 0.3, 0.2
	parts := t
	parts.points, parts.parts = 6, 3
	return cases(l,
		lawCase{"mpgd", t, []int{2, 10, 100}},
		lawCase{"mpgd, B = M/3", parts, []int{7}},
	)
}

// severalMoves checks the methods with K moves at constant theta, and the bias of shortrun, whose
// particles restart at each step: it settles where theta = (1-r)(mean y + theta)/2, r = (1-2h)^K.
func severalMoves(l *lab.Lab) error {
	build := func(method config.Method) toy {
		t := standard(0.1)
		t.method, t.inner, t.follows = method, 4, true
		return t
	}
	abp, shortrun, soul := build("abp"), build("shortrun"), build("soul")
	abp.particles, shortrun.particles = 1, 1
	shortrun.cold = true
	soul.average, soul.particles = true, 2
	err := cases(l,
		lawCase{"soul, K = 4, N = 2", soul, []int{3, 30}},
		lawCase{"abp, K = 4", abp, []int{3, 30}},
		lawCase{"shortrun, K = 4", shortrun, []int{3, 30}},
	)
	if err != nil {
		return err
	}
	const late = 60
	found := shortrun.watchAt(late)
	if err := shortrun.train(l.Branch("bias"), replicates(l), found); err != nil {
		return err
	}
	o := found[late]
	gone := 1 - math.Pow(1-2*shortrun.h, float64(shortrun.inner))
	bias := dataMean*gone/(2-gone) - dataMean
	se := math.Sqrt(o.law.cov.At(0, 0) / float64(o.n))
	l.Estimate("shortrun, K = 4: bias of theta", bias, o.mean(0)-dataMean, se,
		rounding+math.Abs(o.law.mean.AtVec(0)-dataMean-bias))
	return nil
}
