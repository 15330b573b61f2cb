package linear

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// trained is a training of W (and its offset) on factorData by some method, and what it must reach.
type trained struct {
	name, method, dynamics string
	optimizer              string // sgd if empty
	h, lr                  float64
	particles, inner       int
	steps                  int
	learnS                 bool                         // the prior too: its exact score, from N(0, I)
	annealed               bool                         // the learning rate falls to zero, along a cosine
	drag, noise, share     float64                      // of the parameters; of the prior in the training
	limit                  func(lambda float64) float64 // where the marginal variance of a leading direction tends to; nil: to the maximum
}

// methodRows is the rows of a minibatch, N M: all of them.
const methodRows = 2048

// start builds the training; the prior's law is nil for N(0, I).
func (c trained) start(l *lab.Lab, p *pool.Pool, data *factorData, k int) (method.Method, *exactnet.Gaussian, error) {
	o := lab.Plain(factorLatent, c.particles, c.h, c.lr)
	o.ObsNoise = factorNoise
	if c.dynamics != "" {
		o.Dynamics, o.InnerSteps = c.dynamics, c.inner
	} else {
		o.StepSize, o.StepSizeEnd = 1, 1 // means nothing without particles
	}
	if o.Dynamics != "overdamped" {
		o.Friction = methodFriction
	}
	if c.optimizer != "" {
		o.Optimizer = c.optimizer
	}
	if c.annealed {
		o.LRSchedule, o.LREnd = "cosine", 0
	}
	o.ParamDrag, o.ParamNoise, o.PriorShare = c.drag, c.noise, c.share
	setup := method.Setup{
		Options: o, Train: data, Batch: data.Len(), Tile: 64, Seed: l.Seed(k), Pool: p,
		Decoder: model.NewMLP(factorLatent, factorDim), Encoder: model.NewEncoder(factorDim, factorLatent),
	}
	var law *exactnet.Gaussian
	if c.learnS {
		law = exactnet.NewGaussian(factorLatent)
		setup.Prior = &prior.Diffusion{Bound: prior.NewBound(o), Score: exactnet.Score{Law: law}}
		if o.PriorShare > 0 {
			setup.Prior = prior.NewStandardised(setup.Prior, factorLatent)
		}
	}
	m, err := method.New(c.method, setup)
	return m, law, err
}

// model is the mean and the covariance of x in the model as it is now.
func (c trained) model(m method.Method, law *exactnet.Gaussian) ([]float64, *mat.SymDense) {
	phi := lab.Tensor(m, "decoder/params")
	w := mat.NewDense(factorLatent, factorDim, nil)
	exactnet.Widen(w.RawMatrix().Data, phi[:factorLatent*factorDim])
	mean := make([]float64, factorDim)
	exactnet.Widen(mean, phi[factorLatent*factorDim:])
	centre, s := make([]float64, factorLatent), identity(factorLatent)
	if law != nil {
		theta := lab.Tensor(m, "prior/params")
		centre, s = law.Moments(theta)
		rescale(theta[law.Layout().Size():], centre, s)
	}
	var shift mat.VecDense
	shift.MulVec(w.T(), mat.NewVecDense(factorLatent, centre))
	var latent mat.Dense
	latent.Product(w.T(), s, w)
	cov := identity(factorDim)
	cov.ScaleSym(factorNoise*factorNoise, cov)
	for i := range factorDim {
		mean[i] += shift.AtVec(i)
		for j := i; j < factorDim; j++ {
			cov.SetSym(i, j, cov.At(i, j)+latent.At(i, j))
		}
	}
	return mean, cov
}

// rescale undoes the standardisation, whose mean and log scale follow the parameters of the law, if any.
func rescale(p []float32, m []float64, s *mat.SymDense) {
	if len(p) == 0 {
		return
	}
	d := len(m)
	scale := make([]float64, d)
	for j := range d {
		scale[j] = math.Exp(float64(p[d+j]))
		m[j] = float64(p[j]) + scale[j]*m[j]
	}
	for i := range d {
		for j := i; j < d; j++ {
			s.SetSym(i, j, s.At(i, j)*scale[i]*scale[j])
		}
	}
}

// reached is a trained model against its data, averaged over the last part of the training.
type reached struct {
	gap, se, exact, allowance float64
}

// train averages mean and covariance of the model over the last two thirds of the training, or the last tenth
// where it is annealed.
func (c trained) train(l *lab.Lab, p *pool.Pool, k int) (r reached, err error) {
	data := newFactorData(methodRows/c.particles, l.Seed(k+1000))
	m, law, err := c.start(l, p, data, k)
	if err != nil {
		return r, err
	}
	steps := l.N(c.steps, 8*c.steps)
	burn := steps / 3
	if c.annealed {
		burn = steps * 9 / 10
	}
	var means [][]float64
	var covs []*mat.SymDense
	for i := range steps {
		b := method.Minibatch{Index: lab.All(data.Len()), Number: uint32(i), Progress: float64(i) / float64(steps)}
		if _, err := l.Step(m, b); err != nil {
			return r, err
		}
		if i >= burn {
			mean, cov := c.model(m, law)
			means, covs = append(means, mean), append(covs, cov)
		}
	}
	r.gap, r.se = data.averageGap(means, covs)
	r.allowance = factorAllowance
	if c.limit != nil {
		r.exact = data.gapOf(c.limit)
	}
	switch {
	case c.limit == nil && c.annealed:
		r.allowance = descentAllowance
	case c.limit != nil && !c.annealed && c.noise == 0:
		r.allowance = data.slopeOf(c.limit) * meanAllowance
	}
	if c.noise > 0 {
		r.gap, r.se = data.meanGap(means, covs)
		r.exact += factorParams / (2.0 * methodRows)
	}
	return r, nil
}

// factorParams is the number of parameters of W W^T and the offset.
const factorParams = factorDim*factorLatent - factorLatent*(factorLatent-1)/2 + factorDim

// methods: every method reaches the maximum of the likelihood of Tipping and Bishop (1999), but for the bias of its
// particles, whose closed form it reaches.
func methods(l *lab.Lab) error {
	cases := methodCases()
	found := make([]reached, len(cases))
	err := l.Models(len(cases), func(k int, p *pool.Pool) (err error) {
		found[k], err = cases[k].train(l, p, k)
		return err
	})
	for k, c := range cases {
		r := found[k]
		l.Estimate(fmt.Sprintf("log-likelihood below its maximum, %s, nats per point", c.name), r.exact, r.gap, r.se, r.allowance)
	}
	return err
}

// factorAllowance is what the fluctuation of the parameters may add to the gap: no more than that of ipla's law,
// half a nat for each parameter and N M.
const factorAllowance = factorParams / (2.0 * methodRows)

// descentAllowance is what the annealed descent of the methods with encoders may leave of the way to the maximum: a dozen seeds
// left up to 0.0003 nats.
const descentAllowance = 0.002

// meanAllowance is the relative change that the same fluctuation makes to a mean marginal variance: the variances of the d
// elements of W in a direction are at most lambda/(2 w^2 N M) of it each, w^2 more than half of lambda, and the next order of the
// particles' average is as large, and more, again.
const meanAllowance = 4.0 * factorLatent / methodRows
