package method

import (
	"github.com/plume-ml/plume/trainer/config"
)

// ipld trains decoder and diffusion prior together with interacting particles: Wang, Kuntz and
// Akyildiz, "Training Latent Diffusion Models with Interacting Particle Algorithms" (AISTATS
// 2026, arXiv:2505.12412), as reconstructed in plume from its abstract and its predecessors.
// The underdamped dynamics are plume's choice for this model, after the momentum of Chen, Fox
// and Guestrin (2014); dynamics "overdamped" is the plain gradient flow.
var ipld = spec{
	name:  config.IPLD,
	reads: []*keySet{moveKeys, startKeys, noiseKeys, scoreKeys, jointKeys, solverKeys},
	defaults: func(o *config.Options) {
		likeIPLD(o)
		// The prior follows any scale of the cloud, which the bias of the moves inflates.
		o.ScaleAnchor = 2
	},
	prior: newDiffusion,
	build: course{}.build,
}

// likeIPLD sets the defaults of ipld for the moves of particles and decoder, also for the methods
// that are compared with it (bench/study).
func likeIPLD(o *config.Options) {
	o.StepSize, o.StepSizeEnd, o.Friction, o.DecoderDecay = 6e-3, 1e-3, 0.3, 1
}
