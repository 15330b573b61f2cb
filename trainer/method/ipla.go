package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
)

// ipla is the interacting particle Langevin algorithm: pgd with noise on the parameters. Akyildiz,
// Crucinio, Girolami, Johnston and Sabanis, "Interacting particle Langevin algorithm for maximum
// marginal likelihood estimation" (2023, arXiv:2303.13429).
//
// Its step, of size h against the sum over all M datapoints and the mean over N particles, is
//
//	theta <- theta - (h/N) sum_{m,n} grad + sqrt(2h/N) xi.
//
// For optimizer "sgd", which descends the mean over rows, that is lr = h M and param_noise = 1:
// noise of standard deviation sqrt(2 lr/(M N)). theta is then distributed around the maximum as a
// sample from the likelihood to the power N. Minibatches keep this noise and add their own. Other
// optimisers scale the gradient by its size but not the noise: with them the noise explores with
// the same strength per step, but theta does not follow this law.
var ipla = spec{
	name:     config.IPLA,
	reads:    []*keySet{moveKeys, startKeys, noiseKeys},
	defaults: func(o *config.Options) { o.Dynamics, o.ParamNoise = particle.Overdamped, 1 },
	prior:    standardNormal,
	build:    course{}.build,
}
