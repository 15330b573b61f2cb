package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Diffusion is a diffusion with a learned residual score.
type Diffusion struct {
	Bound diffusion.Bound
	Score model.ScoreNet
}

// NewDiffusion returns the prior that the options describe.
func NewDiffusion(o config.Options) *Diffusion {
	return &Diffusion{
		Bound: NewBound(o),
		Score: model.NewResidualScore(o.Latent, o.ScoreWidth, o.ScoreBlocks, o.ScoreFeatures),
	}
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

// DiffusionTape is the Tape of a Diffusion.
type DiffusionTape struct {
	*diffusion.BoundTape
	Score model.ScoreTape // with Draws rows for each row of the batch
}

// NewTape implements Prior.
func (d *Diffusion) NewTape(a *memory.Arena, p []float32, rows int, use model.Use) Tape {
	score := d.Score.NewScoreTape(a, p, rows*d.Bound.Draws, use)
	return DiffusionTape{BoundTape: d.Bound.NewTape(a, score, d.Score.In(), rows), Score: score}
}

// Activations implements model.Traced with those of the score network.
func (t DiffusionTape) Activations() []model.Values { return model.Activations(t.Score) }

// Gradients implements model.Traced with those of the score network.
func (t DiffusionTape) Gradients() []model.Values { return model.Gradients(t.Score) }

// PackTasks implements model.Packer.
func (t DiffusionTape) PackTasks() int { return t.Score.PackTasks() }

// Pack implements model.Packer.
func (t DiffusionTape) Pack(task int) { t.Score.Pack(task) }

// CutFree implements model.Packer.
func (t DiffusionTape) CutFree() bool { return t.Score.CutFree() }

// GradTasks implements Tape.
func (t DiffusionTape) GradTasks() int { return t.Score.GradTasks() }

// Grad implements Tape.
func (t DiffusionTape) Grad(task int, grad []float32, rows int) {
	n := rows * t.Draws
	t.Score.Grad(task, grad, n, float32(1/float64(n)))
}

type diffusionSampler struct {
	*Diffusion
	score   model.ScoreTape
	scratch []float32
}

// NewSampler implements Prior.
func (d *Diffusion) NewSampler(a *memory.Arena, p []float32, rows int) Sampler {
	return &diffusionSampler{
		Diffusion: d,
		score:     d.Score.NewScoreTape(a, p, rows, model.Evaluate),
		scratch:   a.Floats(memory.Activations, 3, rows, d.Score.In()),
	}
}

func (s *diffusionSampler) PackTasks() int { return s.score.PackTasks() }
func (s *diffusionSampler) Pack(task int)  { s.score.Pack(task) }
func (s *diffusionSampler) CutFree() bool  { return s.score.CutFree() }

// Sample implements Sampler.
func (s *diffusionSampler) Sample(lo, hi int, z []float32, ids []uint64, spec SampleSpec) {
	d := s.Score.In()
	w := diffusion.Walk{
		Process: s.Bound.Process, Solver: spec.Solver, Steps: spec.Steps, D: d,
		Noise: kernel.Key{Seed: spec.Seed, Stream: diffusion.StreamSampleNoise},
		Eps:   func(eps, z []float32, lambda float64) { s.eps(lo, hi, eps, z, lambda) },
		Stop:  spec.Stop,
	}
	w.Run(z, ids, s.scratch[3*lo*d:3*hi*d])
}

// eps computes eps_theta = sigma z + r.
func (s *diffusionSampler) eps(lo, hi int, eps, z []float32, lambda float64) {
	copy(s.score.In(lo, hi), z)
	s.score.ForwardAt(lo, hi, float32(lambda))
	copy(eps, s.score.Out(lo, hi))
	kernel.Combine(eps, 1, z, float32(diffusion.Sigma(lambda)), nil, 0)
}
