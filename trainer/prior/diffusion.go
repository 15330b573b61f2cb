package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Diffusion is a diffusion with a learned residual score. NewBound makes its bound from options.
type Diffusion struct {
	Bound diffusion.Bound
	Score model.ScoreNet
}

// NewBound returns the bound that the options describe.
func NewBound(o config.Options) diffusion.Bound {
	return diffusion.Bound{
		Weight:         o.PriorWeight,
		Process:        diffusion.Process{Min: o.LambdaMin, Max: o.LambdaMax},
		Draws:          o.ScoreDraws,
		ControlVariate: o.ControlVariate,
		ScoreDrift:     o.PriorDrift == diffusion.ScoreDrift,
	}
}

// Closed implements Prior.
func (d *Diffusion) Closed() bool { return false }

// Standardise implements Prior.
func (d *Diffusion) Standardise([]float32, []float64, []float64) {}

// Steady implements Prior, by diffusion.Bound.SteadyLoss.
func (d *Diffusion) Steady() Prior {
	steady := *d
	steady.Bound.SteadyLoss = true
	return &steady
}

// Layout implements Prior.
func (d *Diffusion) Layout() *model.Layout { return d.Score.Layout() }

// diffusionTape has a row of the score network for each draw of each row of the batch.
type diffusionTape struct {
	model.ScoreTape
	bound *diffusion.BoundTape
}

// NewTape implements Prior.
func (d *Diffusion) NewTape(a *memory.Arena, p []float32, rows int, use model.Use) Tape {
	score := d.Score.NewScoreTape(a, p, rows*d.Bound.Draws, use)
	return diffusionTape{ScoreTape: score, bound: d.Bound.NewTape(a, score, d.Score.In(), rows)}
}

// Draws implements Tape.
func (t diffusionTape) Draws() int { return t.bound.Draws }

// Begin implements Tape.
func (t diffusionTape) Begin(rows int, level, noise kernel.Key) {
	t.bound.Begin(rows, level, noise)
}

// Rows implements Tape.
func (t diffusionTape) Rows(
	lo, hi int, z []float32, ids []uint64, g, loss []float32, train bool,
) {
	t.bound.Rows(lo, hi, z, ids, g, loss, train)
}

// Grad implements Tape.
func (t diffusionTape) Grad(task int, grad []float32, rows int) {
	n := rows * t.Draws()
	t.ScoreTape.Grad(task, grad, n, float32(1/float64(n)))
}

// Activations implements model.Traced with those of the score network.
func (t diffusionTape) Activations() []model.Values { return model.Activations(t.ScoreTape) }

// Gradients implements model.Traced with those of the score network.
func (t diffusionTape) Gradients() []model.Values { return model.Gradients(t.ScoreTape) }

type diffusionSampler struct {
	model.ScoreTape
	process diffusion.Process
	latent  int
	scratch []float32
}

// NewSampler implements Prior.
func (d *Diffusion) NewSampler(a *memory.Arena, p []float32, rows int) Sampler {
	return &diffusionSampler{
		ScoreTape: d.Score.NewScoreTape(a, p, rows, model.Evaluate),
		process:   d.Bound.Process, latent: d.Score.In(),
		scratch: a.Floats(memory.Activations, 3, rows, d.Score.In()),
	}
}

// Sample implements Sampler.
func (s *diffusionSampler) Sample(lo, hi int, z []float32, ids []uint64, spec SampleSpec) {
	d := s.latent
	w := diffusion.Walk{
		Process: s.process, Solver: spec.Solver, Steps: spec.Steps, D: d,
		Noise: kernel.Key{Seed: spec.Seed, Stream: diffusion.StreamSampleNoise},
		Eps:   func(eps, z []float32, lambda float64) { s.eps(lo, hi, eps, z, lambda) },
		Stop:  spec.Stop,
	}
	w.Run(z, ids, s.scratch[3*lo*d:3*hi*d])
}

// eps computes eps_theta = sigma z + r.
func (s *diffusionSampler) eps(lo, hi int, eps, z []float32, lambda float64) {
	copy(s.In(lo, hi), z)
	s.ForwardAt(lo, hi, float32(lambda))
	copy(eps, s.Out(lo, hi))
	kernel.Combine(eps, 1, z, float32(diffusion.Sigma(lambda)), nil, 0)
}
