package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/prior"
)

// twoStage is vae, then frozen, then a diffusion prior fitted to its standardised latents: Rombach,
// Blattmann, Lorenz, Esser and Ommer, "High-resolution image synthesis with latent diffusion
// models" (CVPR 2022), whose scale is one number where this one has a mean and a scale for each
// dimension.
var twoStage = spec{
	name:    config.TwoStage,
	reads:   []*keySet{encoderKeys, scoreKeys, stageKeys},
	batch:   encoderBatch,
	check:   checkStages,
	prior:   fittedPrior,
	encoder: newEncoder,
	build:   staged(firstVariational),
}

func firstVariational(a *memory.Arena, s Setup) (firstStage, error) { return NewVariational(a, s) }

// fittedPrior is the prior that a second stage fits. Nothing but its parameters feels it.
func fittedPrior(o config.Options) prior.Prior {
	o.PriorDrift, o.ControlVariate = diffusion.BoundDrift, false
	return prior.NewStandardised(prior.NewDiffusion(o), o.Latent)
}

// checkStages expects two stages.
func checkStages(o config.Options, p *config.Problems) {
	p.Expect(o.PriorShare > 0, "prior_share", o.PriorShare,
		"a number in (0, 1): the prior needs a stage of its own")
}

// networks implements firstStage.
func (v *Variational) networks() (decoder, encoder *network) { return v.decoder, v.encoder }

// latents implements firstStage.
func (v *Variational) latents(index []int) (z []float32, ids []uint64) {
	v.draw(index, true, streamEncoder)
	v.counts[countDraws]++
	return v.rows(v.z, 0, len(v.ids)), v.ids
}

// losses implements firstStage.
func (v *Variational) losses() Stats {
	points, rows := len(v.now.index), len(v.ids)
	s := Stats{Evaluations: float64(points)*v.encoder.passes(1) + float64(rows)*v.decoder.passes(1)}
	v.setup.Pool.Run(v.decoderRows())
	s.setData(v.likelihood, v.square[:rows])
	s.Entropy = float64(v.setup.Options.Particles) * sum(v.entropy[:points])
	return s
}
