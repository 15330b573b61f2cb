package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
)

// abp is alternating back-propagation. A step makes K = inner_steps Langevin moves of each latent
// at fixed parameters, from where its last visit left it, and then a step of the parameters at the
// resulting latents. Han, Lu, Zhu and Wu, "Alternating back-propagation for generator network"
// (AAAI 2017).
var abp = spec{
	name:  config.ABP,
	reads: []*keySet{moveKeys, startKeys, noiseKeys},
	defaults: func(o *config.Options) {
		o.Dynamics, o.Particles, o.InnerSteps = particle.Overdamped, 1, 4
	},
	check: oneParticle,
	prior: standardNormal,
	build: warmChain.build,
}

var warmChain = course{final: true}
