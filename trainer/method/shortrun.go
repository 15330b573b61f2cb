package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
)

// shortrun is learning by short-run inference. In every step each latent starts anew from N(0, I)
// and makes K = inner_steps Langevin moves at fixed parameters; then the parameters learn from the
// resulting latents. Nijkamp, Hill, Zhu and Wu, "Learning non-convergent non-persistent short-run
// MCMC toward energy-based model" (NeurIPS 2019); for generators Nijkamp, Pang, Han, Zhou, Zhu and
// Wu, "Learning multi-layer latent variable model via variational optimization of short run MCMC
// for approximate inference" (ECCV 2020).
//
// The cloud holds the latents at the end of the last run of each datapoint.
var shortrun = spec{
	name:  config.ShortRun,
	reads: []*keySet{moveKeys, noiseKeys},
	defaults: func(o *config.Options) {
		o.Dynamics, o.Particles, o.InnerSteps = particle.Overdamped, 1, 10
		// K moves must lead from N(0, I) to the posterior: bench/study
		o.StepSize, o.StepSizeEnd = 0.01, 0.01
	},
	check: func(o config.Options, p *config.Problems) {
		oneParticle(o, p)
		p.Expect(o.CatchUp <= 1, "catch_up", o.CatchUp,
			"0: a chain that starts anew has missed no moves")
	},
	prior: standardNormal,
	build: coldChain.build,
}

var coldChain = course{final: true, cold: true}

func oneParticle(o config.Options, p *config.Problems) {
	p.Expect(o.Particles == 1, "particles", o.Particles,
		"1: the method has one chain per datapoint")
}
