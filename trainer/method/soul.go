package method

import (
	"github.com/plume-ml/plume/trainer/config"

	"github.com/plume-ml/plume/trainer/particle"
)

// soul is stochastic optimisation with unadjusted Langevin chains: K = inner_steps moves at fixed
// parameters, from where the datapoint's chain ended at its last visit, then a step of the
// parameters against the mean of their gradients at the K states that the chain came to. De
// Bortoli, Durmus, Pereyra and Fernandez Vidal, "Efficient stochastic optimisation by unadjusted
// Langevin Monte Carlo" (Statistics and Computing 2021).
//
// Published with one chain; more particles are as many chains, over which the mean goes too.
var soul = spec{
	name:  config.SOUL,
	reads: []*keySet{moveKeys, noiseKeys},
	defaults: func(o *config.Options) {
		o.Dynamics, o.Particles, o.InnerSteps = particle.Overdamped, 1, 4
	},
	prior: standardNormal,
	build: chainAverage.build,
}

var chainAverage = course{final: true, average: true}
