package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// settled is the last part of a training of W with the prior N(0, 1) (pgd). For each column it has
// the variance of the data, the model's marginal variance as its mean over time, and the latter's
// mean square distance from the limit.
type settled struct{ data, mean, square lab.Sample }

// settle starts each column at the maximum of its likelihood and, after burn steps, averages over
// time.
func (c learning) settle(l *lab.Lab, p *pool.Pool, k, burn, steps int) (s settled, err error) {
	t, err := c.start(l, p, k)
	if err != nil {
		return s, err
	}
	columns := func() lab.Sample { return make(lab.Sample, axesDim) }
	s = settled{data: columns(), mean: columns(), square: columns()}
	limit := make([]float64, axesDim)
	for j := range axesDim {
		s.data[j] = momentsOf(t.z, t.table, j).At(2, 2)
		t.w[j] = float32(math.Sqrt(max(0.01, s.data[j]-learnNoise*learnNoise)))
		limit[j] = pgdLimit(s.data[j], c.h, learnNoise)
	}
	const apart = 4 // steps between snapshots
	at := make([]int, steps/apart)
	for i := range at {
		at[i] = burn + apart*i
	}
	err = t.train(l, at, func(int) {
		for j := range axesDim {
			v := t.marginal(j)
			s.mean[j] += v / float64(len(at))
			s.square[j] += (v - limit[j]) * (v - limit[j]) / float64(len(at))
		}
	})
	return s, err
}

// learnedRuns trains each case a number of times, and joins the columns of its repeats.
func learnedRuns(l *lab.Lab, cases []learning, repeats, burn, steps int) ([]settled, error) {
	found := make([]settled, len(cases)*repeats)
	err := l.Models(len(found), func(k int, p *pool.Pool) (err error) {
		found[k], err = cases[k/repeats].settle(l, p, k, burn, steps)
		return err
	})
	joined := make([]settled, len(cases))
	for k, s := range found {
		j := &joined[k/repeats]
		j.data = append(j.data, s.data...)
		j.mean = append(j.mean, s.mean...)
		j.square = append(j.square, s.square...)
	}
	return joined, err
}

// learnedBase is the training of which the experiments on limits vary one number.
func learnedBase() learning {
	return learning{
		h: 0.02, lr: 0.05, friction: 1, dynamics: particle.Overdamped, points: 256,
		copies: 2, w: true,
	}
}

// byStepSize: the bias of the particles' variance makes the learned marginal variance too small by
// an error of first order in h: it is lambda/(1 + h lambda/(2 sigma^2)).
func byStepSize(l *lab.Lab) error {
	steps := []float64{0.01, 0.02, 0.04, 0.08}
	var cases []learning
	for _, h := range steps {
		c := learnedBase()
		c.h = h
		cases = append(cases, c)
	}
	found, err := learnedRuns(l, cases, l.N(1, 8), 100, 400)
	if err != nil {
		return err
	}
	y, se := make([]float64, len(steps)), make([]float64, len(steps))
	for i, f := range found {
		var bias lab.Sample
		for j, v := range f.data {
			bias = append(bias, v/f.mean[j]-1) // h lambda/(2 sigma^2)
		}
		exact := steps[i] / (2 * learnNoise * learnNoise) * f.data.Mean()
		y[i], se[i] = bias.Mean(), bias.SE()
		name := fmt.Sprintf("lambda over the learned marginal variance, less 1, h = %v", steps[i])
		l.Estimate(name, exact, y[i], se[i], cloudAllowance(cases[i]))
	}
	// The allowance is for the data's lambda, which differ a little from case to case, and for
	// what a finite cloud adds, which is constant.
	l.Slope("bias of the learned marginal variance against h", 1, steps, y, se, 0.02)
	return nil
}

// cloudAllowance bounds what a finite cloud adds to the expectation of a learned variance, as a
// share of it. It is of second order in the fluctuations, whose relative variance is at most about
// 2/(N M), as for ipla, whose parameters fluctuate most. A nonlinear function of the variance
// doubles it.
func cloudAllowance(c learning) float64 { return 4 / float64(c.points*c.copies) }

// byParticles: the root mean square of the learned model's fluctuation about its limit falls as
// N^(-1/2).
func byParticles(l *lab.Lab) error {
	numbers := []float64{1, 2, 4, 8, 16}
	var cases []learning
	for _, n := range numbers {
		c := learnedBase()
		c.points, c.copies = 32, int(n)
		cases = append(cases, c)
	}
	found, err := learnedRuns(l, cases, l.N(3, 24), 100, 600)
	if err != nil {
		return err
	}
	const quantity = "fluctuation of the learned marginal variance against N"
	square := func(s settled, j int) float64 { return s.square[j] }
	rootMeanSquares(l, quantity, numbers, found, square)
	return nil
}

// byPoints: apart from the bias of the step size, the distance of the learned model from the truth
// falls as M^(-1/2).
func byPoints(l *lab.Lab) error {
	numbers := []float64{32, 128, 512}
	var cases []learning
	for _, m := range numbers {
		c := learnedBase()
		c.points, c.copies = int(m), 1
		cases = append(cases, c)
	}
	found, err := learnedRuns(l, cases, l.N(3, 24), 60, 100)
	if err != nil {
		return err
	}
	truth := pgdLimit(learnGain*learnGain+learnNoise*learnNoise, learnedBase().h, learnNoise)
	const quantity = "distance of the learned marginal variance from the truth against M"
	rootMeanSquares(l, quantity, numbers, found, func(s settled, j int) float64 {
		return (s.mean[j] - truth) * (s.mean[j] - truth)
	})
	return nil
}

// rootMeanSquares checks that the root mean square over the columns falls as x^(-1/2).
func rootMeanSquares(
	l *lab.Lab, quantity string, x []float64, found []settled,
	square func(s settled, j int) float64,
) {
	y, se := make([]float64, len(x)), make([]float64, len(x))
	for i, s := range found {
		squares := make(lab.Sample, len(s.data))
		for j := range squares {
			squares[j] = square(s, j)
		}
		y[i] = math.Sqrt(squares.Mean())
		se[i] = squares.SE() / (2 * y[i])
	}
	// The next order is a share 1/(N M) or 1/M of the mean square: 3 % at the smallest x, over a
	// range of a factor of 16.
	l.Slope(quantity, -0.5, x, y, se, 0.02)
}
