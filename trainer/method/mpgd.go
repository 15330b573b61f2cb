package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
)

// mpgd is momentum particle gradient descent: pgd with momentum in both spaces. The particles make
// the exact transition of the underdamped diffusion, the parameters the steps of an exponential
// integrator at a look-ahead point. Lim, Kuntz, Power and Johansen, "Momentum particle maximum
// likelihood" (ICML 2024), where it is called MPD.
//
// Two choices are plume's. The particles' drift is taken at the look-ahead point too, so that a
// step needs one evaluation; the authors' code takes it after the parameters' step. And particles
// start at rest, not with velocities drawn from their equilibrium.
//
// friction and step_size determine the moves of the particles (package particle), param_drag and lr
// those of the parameters (package optim). Optimizer "sgd" is the published flow; rmsprop, which
// the authors use for neural networks, and adam first divide the gradient by its running size.
var mpgd = spec{
	name:  config.MPGD,
	reads: []*keySet{moveKeys, startKeys, noiseKeys},
	defaults: func(o *config.Options) {
		o.Dynamics, o.ParamDrag, o.LR = particle.Exact, 0.1, o.LR*0.1
	},
	prior: standardNormal,
	build: course{}.build,
}
