package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

const (
	coverLatent = axesDim
	coverDim    = 48
	coverNoise  = 0.5
)

// coverage draws latents from the prior and rows from their decoder, and infers the latents from
// two thirds of each row: of the true latents and of the true missing values, as many must be in an
// interval of the posterior as its probability says, whatever the posterior is. That needs neither
// its mean nor its variance in closed form.
func coverage(l *lab.Lab) error {
	o := lab.Plain(coverLatent, 1, 1e-3, 1e-3)
	o.ControlVariate = true
	unit := func(int) (mean, variance float64) { return 0, 1 }
	axes := func(j int) (mean, variance float64) { return axesMean, spread[j%len(spread)] }
	for k, c := range []covered{
		{name: "N(0, I)", law: unit, prior: prior.Gaussian{Latent: coverLatent}},
		{name: "diffusion", law: axes, prior: axesPrior(prior.NewBound(o))},
	} {
		c.seed = l.Seed(k)
		if err := c.check(l); err != nil {
			return err
		}
	}
	return nil
}

// covered is a model whose latents have the given means and variances.
type covered struct {
	name  string
	law   func(j int) (mean, variance float64)
	prior prior.Prior
	seed  uint64
}

// normals returns n numbers from N(0, scale^2), other ones for each part.
func (c covered) normals(n int, part uint32, scale float32) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: c.seed, Step: part, Stream: particle.StreamCold}, 0)
	kernel.Scale(x, scale)
	return x
}

// rows draws n latents and their rows.
func (c covered) rows(m generate.Model, n int) (z, x []float32) {
	z, x = c.normals(n*coverLatent, 1, 1), c.normals(n*coverDim, 2, coverNoise)
	weight := m.Decoder.Layout().View(m.DecoderP, "layer0.weight")
	bias := m.Decoder.Layout().View(m.DecoderP, "layer0.bias")
	for i := range n {
		latent := z[i*coverLatent : (i+1)*coverLatent]
		for k, v := range latent {
			mean, variance := c.law(k)
			latent[k] = float32(mean + math.Sqrt(variance)*float64(v))
		}
		for j := range coverDim {
			v := float64(bias[j])
			for k, at := range latent {
				v += float64(at) * float64(weight[k*coverDim+j])
			}
			x[i*coverDim+j] += float32(v)
		}
	}
	return z, x
}

// check checks the shares. Weights of 0.15 make posterior precisions of up to 12.
func (c covered) check(l *lab.Lab) error {
	decoder := model.NewMLP(l.Products, coverLatent, coverDim)
	m := generate.Model{
		Decoder: decoder, DecoderP: c.normals(decoder.Layout().Size(), 3, 0.15), Prior: c.prior,
		Likelihood: likelihood.Gaussian{Sigma: coverNoise, D: coverDim},
	}
	n := l.N(96, 2000)
	z, x := c.rows(m, n)
	s := infer.Setup{
		Images: data.Table{D: coverDim, X: x}, Particles: 48, Batch: 16,
		Tile: 64, Seed: c.seed, Pool: l.Pool, StepSize: 0.02, StepSizeEnd: 0.005, Friction: 0.3,
		Missing: &data.Missing{D: coverDim, At: make([]bool, coverDim)},
	}
	for j := 0; j < coverDim; j += 3 {
		s.Missing.At[j] = true
	}
	p := infer.New(m, s)
	to := infer.Patient()
	to.Keep, to.KeepMost, to.Decode = 400, 400, true
	if err := p.Settle(l.Context(), to); err != nil {
		return err
	}
	name := c.name
	for _, share := range []float64{0.5, 0.95} {
		wide := math.Sqrt2 * math.Erfinv(share)
		latents, values := make(lab.Sample, n), make(lab.Sample, n)
		for i, r := range p.Images() {
			latents[i] = shareWithin(z[i*coverLatent:(i+1)*coverLatent], r.Mean, r.Var, 0, wide,
				nil)
			values[i] = shareWithin(x[i*coverDim:(i+1)*coverDim], r.Decoded.Mean, r.Decoded.Var,
				coverNoise*coverNoise, wide, s.Missing.At)
		}
		l.EstimateMean(fmt.Sprintf("share of the latents in their %g %% intervals, %s", 100*share,
			name), share, latents, coverAllowance(wide))
		l.EstimateMean(fmt.Sprintf("share of the missing values in their %g %% intervals, %s",
			100*share, name), share, values, coverAllowance(wide))
	}
	return nil
}

// coverAllowance is how far a share may be off because standard deviations are: by 1.5 %. The
// slowest particles forget within 60 moves, so that 48 of them for 400 moves are worth 160 draws.
// That leaves an error of the mean of 1/160 of the variance, and takes as much from the variance of
// the draws; and moves of 0.005 at precisions up to 12 add 2 % to it or less.
func coverAllowance(wide float64) float64 {
	return 2 * wide * math.Exp(-wide*wide/2) / math.Sqrt(2*math.Pi) * 0.015
}

// shareWithin is the share of the values within so many standard deviations of their means, where
// more is added to the variances. Where counted is not nil, it says which values count.
func shareWithin(
	values []float32, mean, variance []float64, more, wide float64, counted []bool,
) float64 {
	in, all := 0.0, 0.0
	for j, v := range values {
		if counted != nil && !counted[j] {
			continue
		}
		all++
		if math.Abs(float64(v)-mean[j]) <= wide*math.Sqrt(variance[j]+more) {
			in++
		}
	}
	return in / all
}
