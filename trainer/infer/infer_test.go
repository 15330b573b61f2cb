package infer

import (
	"context"
	"errors"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// The linear model of ALGORITHM.md section 8.2: z ~ N(0, I) in 2 dimensions, x | z ~ N(W z + mu,
// sigma^2 I) in 5, so that x ~ N(mu, W W^T + sigma^2 I) and z | x ~ N(P W^T (x - mu) / sigma^2, P),
// P = (I + W^T W / sigma^2)^-1.
const (
	inferLatent = 2
	inferDim    = 5
	inferNoise  = 0.5
	inferPoints = 40
)

type linearModel struct {
	w    *mat.Dense // inferDim x inferLatent
	mu   []float64
	p    []float32 // of model.NewMLP(nil, inferLatent, inferDim)
	data data.Table
}

// newLinearModel draws images from its own marginal.
func newLinearModel() linearModel {
	net := model.NewMLP(nil, inferLatent, inferDim)
	m := linearModel{
		w: mat.NewDense(inferDim, inferLatent, nil),
		p: reference.Normals(net.Layout().Size(), 3, 0.6),
	}
	for j, v := range net.Layout().View(m.p, "layer0.bias") {
		m.mu = append(m.mu, float64(v))
		for i := range inferLatent {
			m.w.Set(j, i, float64(net.Layout().View(m.p, "layer0.weight")[i*inferDim+j]))
		}
	}
	z, noise :=
		reference.Normals(inferPoints*inferLatent, 4, 1), reference.Normals(inferPoints*inferDim,
			5, inferNoise)
	m.data = data.Table{D: inferDim, X: noise}
	for n := range inferPoints {
		for j := range inferDim {
			v := m.mu[j]
			for i := range inferLatent {
				v += m.w.At(j, i) * float64(z[n*inferLatent+i])
			}
			noise[n*inferDim+j] += float32(v)
		}
	}
	return m
}

func (m linearModel) image(n int) (x []float64) {
	for _, v := range m.data.X[n*inferDim : (n+1)*inferDim] {
		x = append(x, float64(v))
	}
	return x
}

// posterior is the exact mean and covariance for image n.
func (m linearModel) posterior(n int) (mean *mat.VecDense, cov *mat.Dense) {
	precision := mat.NewDense(inferLatent, inferLatent, nil)
	precision.Mul(m.w.T(), m.w)
	precision.Scale(1/(inferNoise*inferNoise), precision)
	for i := range inferLatent {
		precision.Set(i, i, precision.At(i, i)+1)
	}
	cov, mean = &mat.Dense{}, &mat.VecDense{}
	if err := cov.Inverse(precision); err != nil {
		panic(err)
	}
	e := mat.NewVecDense(inferDim, m.image(n))
	e.SubVec(e, mat.NewVecDense(inferDim, m.mu))
	mean.MulVec(m.w.T(), e)
	mean.MulVec(cov, mean)
	mean.ScaleVec(1/(inferNoise*inferNoise), mean)
	return mean, cov
}

// marginal is the exact log p(x) of image n.
func (m linearModel) marginal(n int) float64 { return m.marginalOf(n, data.Range(0, inferDim)) }

// marginalOf is the exact log density of some pixels of image n.
func (m linearModel) marginalOf(n int, pixels []int) float64 {
	cov, mu := mat.NewSymDense(len(pixels), nil), make([]float64, len(pixels))
	x := make([]float64, len(pixels))
	for a, j := range pixels {
		mu[a], x[a] = m.mu[j], m.image(n)[j]
		for b, k := range pixels[:a+1] {
			v := mat.Dot(m.w.RowView(j), m.w.RowView(k))
			if j == k {
				v += inferNoise * inferNoise
			}
			cov.SetSym(a, b, v)
		}
	}
	law, ok := distmv.NewNormal(mu, cov, nil)
	if !ok {
		panic("the covariance is not positive definite")
	}
	return law.LogProb(x)
}

// inferred returns a Posterior of the model's images under a prior.
func (m linearModel) inferred(t *testing.T, prior prior.Prior, particles, workers int) *Posterior {
	t.Helper()
	// In batches of 15 of 40 images, so that the last is a smaller one.
	return New(m.trained(prior), m.setup(t, particles, workers))
}

// trained returns the linear model with an untrained prior.
func (m linearModel) trained(prior prior.Prior) generate.Model {
	const priorNet = 1
	priorP := make([]float32, prior.Layout().Size())
	prior.Layout().Init(priorP, 1, priorNet)
	return generate.Model{
		Decoder: model.NewMLP(nil, inferLatent, inferDim), DecoderP: m.p,
		Prior: prior, PriorP: priorP,
		Likelihood: likelihood.Gaussian{Sigma: inferNoise, D: inferDim},
	}
}

func run(t *testing.T, p *Posterior, m Moves) {
	t.Helper()
	if err := p.Run(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// The chains' averages are the posterior's. Along a direction of precision p the particles
// decorrelate in friction/(h p) moves, at most 60, so that 200 of them for 200 moves are worth 300
// independent draws or more. A mean may be 5 standard errors off; a covariance 5 times sqrt(2/300)
// of a variance, and 1 % more, by which the step size 0.005 widens a posterior of precision below
// 15; the losses 5 times about 1/sqrt(300). A prior or likelihood of twice the weight, or noise of
// twice the variance, is off by twice as much.
func TestPosteriorOfLinearModel(t *testing.T) {
	m := newLinearModel()
	post := m.inferred(t, prior.Gaussian{Latent: inferLatent}, 200, 2)
	run(t, post, Moves{Burn: 200, Keep: 200, Cov: true})
	for n, got := range post.Images() {
		mean, cov := m.posterior(n)
		var square, norm float64 // E|W z + mu - x|^2, E|z|^2
		e := mat.NewVecDense(inferDim, nil)
		e.MulVec(m.w, mean)
		for j, x := range m.image(n) {
			square += math.Pow(e.AtVec(j)+m.mu[j]-x, 2)
			for i := range inferLatent {
				for k := range inferLatent {
					square += m.w.At(j, i) * cov.At(i, k) * m.w.At(j, k)
				}
			}
		}
		for i := range inferLatent {
			sd := math.Sqrt(cov.At(i, i))
			norm += mean.AtVec(i)*mean.AtVec(i) + sd*sd
			if d := got.Mean[i] - mean.AtVec(i); math.Abs(d) > 5*sd/math.Sqrt(300) {
				t.Errorf("image %d: mean %d is %v, expected %v", n, i, got.Mean[i], mean.AtVec(i))
			}
			for k := range inferLatent {
				scale := sd * math.Sqrt(cov.At(k, k))
				c := got.Cov[i*inferLatent+k]
				if math.Abs(c-cov.At(i, k)) > (0.01+5*math.Sqrt(2.0/300))*scale {
					t.Errorf("image %d: covariance %d, %d is %v, expected %v",
						n, i, k, c, cov.At(i, k))
				}
			}
		}
		const c = inferDim / 2.0
		data := square/(2*inferNoise*inferNoise) + c*math.Log(2*math.Pi*inferNoise*inferNoise)
		prior := norm/2 + inferLatent/2.0*math.Log(2*math.Pi)
		far := func(a, b, most float64) bool { return math.Abs(a-b) > most }
		if far(got.SquareError, square, 0.15) || far(got.DataLoss, data, 0.3) ||
			far(got.PriorLoss, prior, 0.3) {
			t.Errorf("image %d: square error %v, losses %v and %v, expected %v, %v and %v",
				n, got.SquareError, got.DataLoss, got.PriorLoss, square, data, prior)
		}
	}
}

// flatDiffusion is a diffusion whose residual is zero: its bound is -log N(z; 0, I) to about 1e-3 a
// dimension.
func flatDiffusion(draws int) *prior.Diffusion {
	return &prior.Diffusion{
		Bound: prior.NewBound(config.Options{
			LambdaMin: -10, LambdaMax: 10,
			ScoreDraws: draws, ControlVariate: true, PriorWeight: "elbo", PriorDrift: "bound",
			PriorLevels: "uniform",
		}),
		Score: model.NewResidualScore(nil, inferLatent, 8, 1, 4),
	}
}

// The estimates are the exact log p(x) of the linear model. With the Gaussian prior the weights are
// known, so that the standard error of an image is at most sqrt(1/ESS - 1/n) nats; 5 of them are
// allowed, and 0.002 for float32. With a diffusion the bound's draws add noise, which is estimated
// from the spread of the errors over the images: their mean may be 4 standard errors from zero. A
// wrong sign, a missing factor of 2 or a missing constant is off by half a nat or more.
func TestMarginalsOfLinearModel(t *testing.T) {
	m := newLinearModel()
	const samples = 500
	for name, prior := range map[string]func(draws int) prior.Prior{
		"gaussian":  func(int) prior.Prior { return prior.Gaussian{Latent: inferLatent} },
		"diffusion": func(draws int) prior.Prior { return flatDiffusion(draws) },
	} {
		t.Run(name, func(t *testing.T) {
			post := m.inferred(t, prior(1), 20, 2)
			run(t, post, Moves{Burn: 200, Keep: 100, Cov: true})
			joint := NewJoint(m.trained(prior(64)), 8, post.setup.Pool)
			got, err := post.Marginals(t.Context(), joint, samples, 9)
			if err != nil {
				t.Fatal(err)
			}
			var sum, squares float64
			for n, r := range got {
				if r.ESS < samples/2 || r.ESS > samples {
					t.Errorf("image %d: ESS %v of %d from a proposal that fits", n, r.ESS, samples)
				}
				d := r.LogP - m.marginal(n)
				if name == "gaussian" && math.Abs(d) > 0.002+5*math.Sqrt(1/r.ESS-1.0/samples) {
					t.Errorf("image %d: log p = %v, expected %v (ESS %v)",
						n, r.LogP, m.marginal(n), r.ESS)
				}
				sum, squares = sum+d, squares+d*d
			}
			mean := sum / inferPoints
			se := math.Sqrt((squares/inferPoints - mean*mean) / (inferPoints - 1))
			if math.Abs(mean) > 4*se+2e-3*inferLatent || se > 0.2 {
				t.Errorf("mean error %v, standard error %v", mean, se)
			}
		})
	}
}

// The proposal's density is that of its draws: the mean of f/q over draws from q is 1 for any
// density f within its reach, here a Gaussian half as wide; and the draws have the moments of the
// mixture.
func TestProposal(t *testing.T) {
	mean, cov := []float64{1, -2}, []float64{0.5, 0.3, 0.3, 0.4}
	q, err := newProposal(mean, cov)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20000
	z, logQ := make([]float32, 2*n), make([]float64, n)
	q.draw(z, logQ, kernel.Key{Seed: 6, Stream: streamProposal})
	target, ok := distmv.NewNormal(mean, mat.NewSymDense(2, []float64{0.25, 0.15, 0.15, 0.2}), nil)
	if !ok {
		t.Fatal("the target's covariance is not positive definite")
	}
	var w, ww float64
	var m1 [2]float64
	var m2 [3]float64
	for i := range n {
		at := []float64{float64(z[2*i]), float64(z[2*i+1])}
		v := math.Exp(target.LogProb(at) - logQ[i])
		w, ww = w+v/n, ww+v*v/n
		x, y := at[0]-mean[0], at[1]-mean[1]
		m1[0], m1[1] = m1[0]+x/n, m1[1]+y/n
		m2[0], m2[1], m2[2] = m2[0]+x*x/n, m2[1]+x*y/n, m2[2]+y*y/n
	}
	if se := math.Sqrt((ww - w*w) / n); math.Abs(w-1) > 4*se || se > 0.02 {
		t.Errorf("the mean weight is %v, standard error %v, expected 1", w, se)
	}
	// The t of 5 degrees of freedom has 5/3 of the Gaussian's covariance.
	factor := proposalInflation * (1 - proposalTails + proposalTails*5/3)
	for i, want := range []float64{0.5, 0.3, 0.4} {
		if math.Abs(m2[i]-want*factor) > 0.05 {
			t.Errorf("moment %d: %v, expected %v", i, m2[i], want*factor)
		}
	}
	if math.Hypot(m1[0], m1[1]) > 0.03 {
		t.Errorf("the mean is off by %v", m1)
	}
	if _, err := newProposal(mean, make([]float64, 4)); err == nil {
		t.Error("no error for particles that never moved")
	}
}

// Positions and estimates do not depend on the number of workers. A second Run continues with new
// noise. A Run that ends early returns the context's error.
func TestInferenceIsDeterministic(t *testing.T) {
	m := newLinearModel()
	var z [2][]float32
	var logP [2][]Marginal
	for i, workers := range []int{1, 3} {
		post := m.inferred(t, flatDiffusion(1), 8, workers)
		run(t, post, Moves{Burn: 20, Keep: 20, Cov: true})
		z[i] = slices.Clone(post.Latents())
		var err error
		joint := NewJoint(m.trained(flatDiffusion(4)), 8, post.setup.Pool)
		if logP[i], err = post.Marginals(t.Context(), joint, 101, 9); err != nil {
			t.Fatal(err)
		}
		run(t, post, Moves{Burn: 1, Keep: 1})
		if slices.Equal(post.Latents(), z[i]) {
			t.Error("a second Run does not move the particles")
		}
	}
	if !slices.Equal(z[0], z[1]) || !slices.Equal(logP[0], logP[1]) {
		t.Error("the results depend on the number of workers")
	}
	post := m.inferred(t, flatDiffusion(1), 8, 1)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := post.Run(ended, Moves{Burn: 1, Keep: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// Moves over which no average can be taken are refused, before anything moves.
func TestMovesOutOfRange(t *testing.T) {
	post := newLinearModel().inferred(t, prior.Gaussian{Latent: inferLatent}, 2, 1)
	start := slices.Clone(post.Latents())
	for want, moves := range map[string]Moves{
		"moves to keep: 0: expected 1 or more, to take averages over": {Burn: 3},
		"moves of the burn-in: -1: expected 0 or more":                {Burn: -1, Keep: 2},
	} {
		if err := post.Run(t.Context(), moves); err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, expected %s", moves, err, want)
		}
	}
	if !slices.Equal(post.Latents(), start) {
		t.Error("the particles moved")
	}
}

// A move allocates nothing: a Run of many moves allocates as often as one of few.
func TestMovesDoNotAllocate(t *testing.T) {
	post := newLinearModel().inferred(t, flatDiffusion(2), 4, 2)
	allocations := func(keep int) float64 {
		return testing.AllocsPerRun(10, func() { run(t, post, Moves{Keep: keep}) })
	}
	if few, many := allocations(1), allocations(101); many != few {
		t.Errorf("%v allocations in 1 move, %v in 101", few, many)
	}
}
