package lab

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// LearnedOptions returns the options of a small score network that is trained with the particles.
func LearnedOptions(latent int, noise float64) config.Options {
	o := Plain(latent, 1, 0.02, 5e-3)
	o.ObsNoise = noise
	o.Dynamics, o.Friction, o.ControlVariate = particle.Underdamped, 0.3, true
	o.Optimizer, o.LRSchedule, o.LREnd, o.EMA = optim.Adam, optim.Cosine, 0.02, 0.99
	o.ScoreWidth, o.ScoreBlocks, o.ScoreFeatures = 48, 2, 16
	o.StepSchedule, o.StepSizeEnd = optim.Geometric, 0.005
	return o
}

// Learn trains ipld on minibatches, and returns n latents of the averaged model and their images.
func (l *Lab) Learn(
	o config.Options, train data.Table, decoder *model.Net, steps, n int,
) (z, x []float32, err error) {
	const batch = 256
	if l.Products != nil {
		o.Precision = l.Products.Precision()
	}
	m, err := method.New("ipld", method.Setup{
		Options: o, Train: train, Batch: batch, Tile: 64, Seed: l.Seed(0), Pool: l.Pool,
		Decoder: decoder,
	})
	if err != nil {
		return nil, nil, err
	}
	parts := train.Len() / batch
	for i := range steps {
		idx := data.Range(0, batch)
		for j := range idx {
			idx[j] += i % parts * batch
		}
		b := method.Minibatch{
			Index: idx, Number: uint32(i), Progress: float64(i) / float64(steps),
		}
		if _, err := l.Step(m, b); err != nil {
			return nil, nil, err
		}
	}
	g := m.Generator(true)
	z, x = make([]float32, n*o.Latent), make([]float32, n*train.D)
	spec := generate.Spec{Solver: diffusion.DDIM, Steps: 200, Seed: l.Seed(0)}
	if err := g.SampleLatents(l.ctx, z, n, spec); err != nil {
		return nil, nil, err
	}
	g.Decode(x, z, nil)
	return z, x, nil
}
