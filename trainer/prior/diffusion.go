package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Diffusion is a diffusion with a learned residual score. NewBound makes its bound from options.
type Diffusion struct {
	Bound diffusion.Bound
	Score *model.Net // r_theta(z, lambda), with the inputs z and model.Lambda
}

// NewBound returns the bound that the options describe.
func NewBound(o config.Options) diffusion.Bound {
	return diffusion.Bound{
		Weight:         o.PriorWeight,
		Density:        o.PriorLevels,
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

// TileRows implements Prior.
func (d *Diffusion) TileRows() int { return max(1, d.Score.TileRows()/d.Bound.Draws) }

// Kept implements Prior.
func (d *Diffusion) Kept() int { return d.Bound.Draws * d.Score.Kept() }

// diffusionTape has a row of the score network for each draw of each row of the batch.
type diffusionTape struct {
	*model.Tape
	bound *diffusion.BoundTape
}

// NewTape implements Prior.
func (d *Diffusion) NewTape(
	a *memory.Arena, p []float32, size model.Size, use model.Use,
) Tape {
	score := d.Score.NewTape(a, p, size.Times(d.Bound.Draws), use)
	return diffusionTape{Tape: score, bound: d.Bound.NewTape(a, score, size.Rows)}
}

// Draws implements Tape.
func (t diffusionTape) Draws() int { return t.bound.Draws }

// Begin implements Tape.
func (t diffusionTape) Begin(rows int, level, noise kernel.Key, lanes ...diffusion.Lane) {
	t.bound.Begin(rows, level, noise, lanes...)
}

// Evaluate implements Tape.
func (t diffusionTape) Evaluate(r diffusion.Rows) { t.bound.Evaluate(r) }

// Levels implements Tape.
func (t diffusionTape) Levels(lo, hi int) diffusion.Levels { return t.bound.Levels(lo, hi) }

// Wave implements Tape.
func (t diffusionTape) Wave(first int) { t.Tape.Begin(first * t.Draws()) }

// Reduce implements Tape.
func (t diffusionTape) Reduce(w layer.Wave) {
	w.Rows *= t.Draws()
	w.Lanes = w.Lanes.Times(t.Draws())
	w.Scale /= float32(t.Draws())
	t.Tape.Reduce(w)
}

// Visit implements Tape.
func (t diffusionTape) Visit(f func(model.Values)) { t.bound.Visit = f }

type diffusionSampler struct {
	*model.Tape
	process diffusion.Process
	scratch chan []float32 // of a call of Sample
}

// NewSampler implements Prior.
func (d *Diffusion) NewSampler(a *memory.Arena, p []float32, size model.Size) Sampler {
	s := &diffusionSampler{
		Tape:    d.Score.NewTape(a, p, size, model.Evaluate),
		process: d.Bound.Process, scratch: make(chan []float32, size.Passes),
	}
	for range size.Passes {
		s.scratch <- a.Floats(memory.Activations, 3, size.Tile, d.Score.In())
	}
	return s
}

// Sample implements Sampler.
func (s *diffusionSampler) Sample(z []float32, ids []uint64, spec SampleSpec) {
	scratch, pass := <-s.scratch, s.Take(0, len(ids))
	defer func() {
		pass.Release()
		s.scratch <- scratch
	}()
	w := diffusion.Walk{
		Process: s.process, Solver: spec.Solver, Steps: spec.Steps, D: s.Net().In(),
		Noise: kernel.Key{Seed: spec.Seed, Stream: diffusion.StreamSampleNoise},
		Seeds: spec.Seeds,
		Eps:   func(eps, z []float32, lambda float64) { spec.predict(pass, eps, z, lambda) },
		Stop:  spec.Stop,
	}
	w.Run(z, ids, scratch)
}

// predict computes eps_theta = sigma z + r, where guidance replaces r by (1+w) r_c - w r_0.
func (s SampleSpec) predict(score *model.Pass, eps, z []float32, lambda float64) {
	residual := func(condition []float32) []float32 {
		copy(score.In(0), z)
		score.SetCondition(condition, 0, 1)
		score.ForwardAt(float32(lambda))
		return score.Out()
	}
	copy(eps, residual(s.Condition))
	w, sigma := float32(s.Guidance), float32(diffusion.Sigma(lambda))
	if w == 0 {
		kernel.Combine(eps, 1, z, sigma, nil, 0)
		return
	}
	kernel.Combine(eps, 1+w, z, sigma, residual(nil), -w)
}
