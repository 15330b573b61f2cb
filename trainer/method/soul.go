package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
)

// soul is stochastic optimisation with unadjusted Langevin chains. A step makes K = inner_steps
// moves at fixed parameters, from where the datapoint's chain ended at its last visit, and then a
// step of the parameters against the mean of their gradients at the K states after the moves. De
// Bortoli, Durmus, Pereyra and Fernandez Vidal, "Efficient stochastic optimisation by unadjusted
// Langevin Monte Carlo" (Statistics and Computing 2021).
//
// The paper has one chain. Each particle is a chain, and the mean is over all of them.
var soul = spec{
	name:  config.SOUL,
	reads: []*keySet{moveKeys, startKeys, noiseKeys},
	defaults: func(o *config.Options) {
		o.Dynamics, o.Particles, o.InnerSteps = particle.Overdamped, 1, 4
	},
	prior: standardNormal,
	build: chainAverage.build,
}

var chainAverage = course{final: true, average: true}
