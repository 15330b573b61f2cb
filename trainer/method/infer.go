package method

import (
	"context"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// Posterior draws from p(z | x) for images that took no part in training: the moves of a Flow, with the
// parameters of a trained model, which stay as they are. Where the prior is a diffusion, exp(-l_theta) takes
// the place of its density, as it does in training.
type Posterior struct {
	flow    *Flow
	latents []float32 // positions after the last move, of each particle
	images  []Inferred
	clipped float64 // share of the kept moves that were clipped
}

const panicPrior = "method: the prior has other parameters than the generator's"

// Inferred is what the kept moves of one image's particles were like, on average.
type Inferred struct {
	Mean        []float64 // d, of the positions
	Cov         []float64 // d x d, of the positions, over their number; nil unless it was asked for
	SquareError float64   // |g(z) - x|^2
	DataLoss    float64   // -log p(x|z), nats
	PriorLoss   float64   // l_theta(z), nats
}

// Moves says how particles move to the posterior and within it.
type Moves struct {
	Burn, Keep int  // moves before, and while, averages are taken
	Cov        bool // covariances are wanted
}

// NewPrior is the prior of the named method, as the options describe it.
func NewPrior(name string, o config.Options) (prior.Prior, error) {
	m, err := find(name)
	if err != nil {
		return nil, err
	}
	return m.prior(o), nil
}

// NewPosterior prepares the inference of the images s.Train by the generator's model, whose prior is s.Prior:
// s.Particles chains for each image, which start at N(0, I). The dynamics are those of s, with the step size going
// from StepSize to StepSizeEnd during the moves before averages are taken. What s says of the other networks, of
// optimisers and of the anchor does not count. It panics unless the prior has the generator's parameters.
func NewPosterior(g *Generator, s Setup) (*Posterior, error) {
	if s.Prior.Layout().Size() != len(g.priorP) {
		panic(panicPrior)
	}
	s.Decoder, s.Encoder = g.decoder, nil
	o := &s.Options
	o.Latent = g.decoder.In()
	o.Optimizer, o.EMA, o.DecoderDecay, o.ParamNoise, o.ParamDrag = "sgd", 0, 0, 0, 0
	o.ScaleAnchor, o.CatchUp, o.PriorWarmup, o.InnerSteps = 0, 0, 0, 1
	f, err := course{}.flow(nil, s)
	if err != nil {
		return nil, err
	}
	copy(f.decoder.p, g.decoderP)
	copy(f.prior.p, g.priorP)
	f.Restored()
	return &Posterior{flow: f, latents: f.cloud.Z, images: make([]Inferred, s.Train.Len())}, nil
}

// Latents are the particles' positions, M*N x d: of N for the first image, then of N for the next. What is
// written there before Run is where they start from.
func (p *Posterior) Latents() []float32 { return p.latents }

// Images are the averages of the last Run, one for each image.
func (p *Posterior) Images() []Inferred { return p.images }

// Clipped is the share of the kept moves of the last Run that were clipped: above some per cent the step
// size is too large for the decoder, and the particles do not sample.
func (p *Posterior) Clipped() float64 { return p.clipped }

// Run moves the particles of every image, those of a minibatch together. A second Run goes on from where the
// first ended. It stops early, with ctx's error, when ctx ends.
func (p *Posterior) Run(ctx context.Context, m Moves) error {
	f := p.flow
	first := f.counts[countMoves]
	var kept Stats
	for lo := 0; lo < f.setup.Train.Len(); lo += f.setup.Batch {
		idx := data.Range(lo, min(lo+f.setup.Batch, f.setup.Train.Len()))
		f.counts[countMoves] = first // an image's noise does not depend on how many came before it
		if err := p.minibatch(ctx, idx, m, &kept); err != nil {
			return err
		}
	}
	p.clipped = kept.Clipped / kept.Moved
	return nil
}

// minibatch makes all moves of the particles of some images. Averages are of the states before each kept move.
func (p *Posterior) minibatch(ctx context.Context, idx []int, m Moves, kept *Stats) error {
	f := p.flow
	sums := newChainSums(len(idx), f.cloud.N, f.cloud.D, m.Cov)
	for k := range m.Burn + m.Keep {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o := &f.setup.Options
		move := f.pass(idx)
		move.moves = true
		move.langevin = particle.Langevin{
			Friction: float32(o.Friction), Clip: float32(o.DriftClip), Key: f.key(particle.StreamMove),
		}
		f.begin(move, k == 0)
		f.batch.SetSteps(f.stepSize(min(1, float64(k)/float64(max(1, m.Burn)))), 0, 0)
		var stats Stats
		f.evaluate(&stats)
		if k >= m.Burn {
			rows := len(f.batch.IDs)
			sums.add(f.batch.Rows(f.batch.Z, 0, rows), f.square[:rows], f.nll[:rows])
		}
		f.advance(0)
		f.counts[countMoves]++
		if f.collectMoves(&stats); k >= m.Burn {
			kept.Add(stats)
		}
	}
	for i, m := range idx {
		p.images[m] = sums.image(i, f.likelihood)
	}
	return nil
}
