package method

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/prior"
)

// twoStage is vae, frozen after a part of the training, and then a diffusion prior fitted to its
// standardised latents: Rombach, Blattmann, Lorenz, Esser and Ommer, "High-resolution image
// synthesis with latent diffusion models" (CVPR 2022). They scale the latents by one number; here
// there are a mean and a scale for each dimension.
var twoStage = spec{
	name:    config.TwoStage,
	reads:   []*keySet{encoderKeys, scoreKeys, stageKeys, solverKeys},
	batch:   encoderBatch,
	check:   checkStages,
	prior:   fittedPrior,
	encoder: newEncoder,
	build:   inStages(firstVariational),
}

// fittedPrior makes the prior of a second stage. Only its own parameters depend on it: there are no
// particles to drive.
func fittedPrior(products *blas.Backend, o config.Options) (prior.Prior, error) {
	o.PriorDrift, o.ControlVariate = diffusion.BoundDrift, false
	inner, err := newDiffusion(products, o)
	if err != nil {
		return nil, err
	}
	return prior.NewStandardised(inner, o.Latent), nil
}

// checkStages requires a second stage.
func checkStages(o config.Options, p *config.Problems) {
	p.Expect(o.PriorShare > 0, "prior_share", o.PriorShare,
		"a number in (0, 1): the prior needs a stage of its own")
}
