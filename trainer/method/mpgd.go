package method

// mpgd is momentum particle gradient descent: pgd with momentum in both spaces. The particles make
// the exact transition of the underdamped diffusion, the parameters the steps of an exponential
// integrator at a look-ahead point, where the particles' drift is taken too. Lim, Kuntz, Power and
// Johansen, "Momentum particle maximum likelihood" (ICML 2024).
//
// friction and step_size say how the particles move (package particle), param_drag and lr how the
// parameters do (package optim). Optimizer "sgd" is the published flow; adam and rmsprop divide the
// gradient by its running size before it, as the authors do for neural networks.
var mpgd = spec{
	name: "mpgd",
	defaults: func(o *Options) {
		o.Dynamics, o.ParamDrag, o.LR = "exact", 0.1, o.LR*0.1
	},
	prior:     standardNormal,
	build:     course{}.build,
	footprint: course{}.footprint,
}
