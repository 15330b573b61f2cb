package linear

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// trained is a training of W and its offset on factorData by some method, and what it must reach.
type trained struct {
	name             string
	method           config.Method
	dynamics         particle.Dynamics
	optimizer        optim.Kind // sgd if empty
	h, lr            float64
	particles, inner int
	steps            int
	learnS           bool    // learns the prior too, with its exact score, from N(0, I)
	annealed         bool    // the learning rate falls to zero along a cosine
	drag, noise      float64 // of the parameters
	share            float64 // of the training, for the prior's stage
	// limit returns where the marginal variance ends in a leading direction of variance lambda; if
	// it is nil, the likelihood must reach its maximum.
	limit func(lambda float64) float64
}

// methodRows is the number of rows N M, all of which are in the minibatch.
const methodRows = 2048

// start builds the training; the prior's law is nil for N(0, I).
func (c trained) start(
	l *lab.Lab, p *pool.Pool, data *factorData, k int,
) (method.Method, *exactnet.Gaussian, error) {
	o := lab.Plain(factorLatent, c.particles, c.h, c.lr)
	o.ObsNoise = factorNoise
	if c.dynamics != "" {
		o.Dynamics, o.InnerSteps = c.dynamics, c.inner
	} else {
		o.StepSize, o.StepSizeEnd = 1, 1 // no effect without particles
	}
	if o.Dynamics.Velocities() {
		o.Friction = methodFriction
	}
	if c.optimizer != "" {
		o.Optimizer = c.optimizer
	}
	if c.annealed {
		o.LRSchedule, o.LREnd = optim.Cosine, 0
	}
	o.ParamDrag, o.ParamNoise, o.PriorShare = c.drag, c.noise, c.share
	setup := method.Setup{
		Options: o, Train: data, Batch: data.Len(), Tile: 64, Seed: l.Seed(k), Pool: p,
		Decoder: model.NewMLP(l.Products, factorLatent, factorDim),
		Encoder: model.NewEncoder(l.Products, factorDim, factorLatent),
	}
	var law *exactnet.Gaussian
	if c.learnS {
		law = exactnet.NewGaussian(factorLatent)
		setup.Prior = &prior.Diffusion{Bound: prior.NewBound(o), Score: exactnet.Score(law)}
		if o.PriorShare > 0 {
			setup.Prior = prior.NewStandardised(setup.Prior, factorLatent)
		}
	}
	m, err := method.New(c.method, setup)
	return m, law, err
}

// model returns the mean and the covariance of x in the present model.
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

// rescale undoes the standardisation of latents of mean m and covariance s. p is its mean and its
// log scale, or empty without one.
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

// reached is the gap of a trained model, averaged over the last part of the training.
type reached struct {
	gap, se, exact, allowance float64
}

// train averages the model's mean and covariance over the last two thirds of the training, or over
// the last tenth if it is annealed.
func (c trained) train(l *lab.Lab, p *pool.Pool, k int) (r reached, err error) {
	ds := newFactorData(methodRows/c.particles, l.Seed(k+1000))
	m, law, err := c.start(l, p, ds, k)
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
		b := method.Minibatch{
			Index: data.Range(0, ds.Len()), Number: uint32(i),
			Progress: float64(i) / float64(steps),
		}
		if _, err := l.Step(m, b); err != nil {
			return r, err
		}
		if i >= burn {
			mean, cov := c.model(m, law)
			means, covs = append(means, mean), append(covs, cov)
		}
	}
	r.gap, r.se = ds.averageGap(means, covs)
	r.allowance = factorAllowance
	if c.limit != nil {
		r.exact = ds.gapOf(c.limit)
	}
	switch {
	case c.limit == nil && c.annealed:
		r.allowance = descentAllowance
	case c.limit != nil && !c.annealed && c.noise == 0:
		r.allowance = ds.slopeOf(c.limit) * meanAllowance
	}
	if c.noise > 0 {
		r.gap, r.se = ds.meanGap(means, covs)
		r.exact += factorParams / (2.0 * methodRows)
	}
	return r, nil
}

// factorParams is the number of parameters of W W^T and the offset.
const factorParams = factorDim*factorLatent - factorLatent*(factorLatent-1)/2 + factorDim

// methods: every method reaches the maximum of the likelihood (Tipping and Bishop 1999), or the
// closed form that the bias of its particles leads to.
func methods(l *lab.Lab) error {
	cases := methodCases()
	found := make([]reached, len(cases))
	err := l.Models(len(cases), func(k int, p *pool.Pool) (err error) {
		found[k], err = cases[k].train(l, p, k)
		return err
	})
	for k, c := range cases {
		r := found[k]
		name := fmt.Sprintf("log-likelihood below its maximum, %s, nats per point", c.name)
		l.Estimate(name, r.exact, r.gap, r.se, r.allowance)
	}
	return err
}

// factorAllowance is what the fluctuation of the parameters may add to the gap. It is largest for
// ipla, at 1/(2 N M) nats for each parameter.
const factorAllowance = factorParams / (2.0 * methodRows)

// descentAllowance is what the annealed descent of the methods with encoders may lack of the
// maximum. A dozen seeds lacked up to 0.0003 nats.
const descentAllowance = 0.002

// meanAllowance is the relative change that the fluctuation makes to a mean marginal variance:
//
//	d lambda/(2 w^2 N M) < d/(N M),
//
// from d elements of W in a direction and w^2 > lambda/2. It is doubled for the next order of the
// particles' average, and doubled again to be safe.
const meanAllowance = 4.0 * factorLatent / methodRows
