package method

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// pgd is particle gradient descent: the same flow with the fixed prior N(0, I), so that only the
// decoder is learned, and overdamped, as published. Kuntz, Lim and Johansen, "Particle algorithms
// for maximum likelihood training of latent variable models" (AISTATS 2023).
var pgd = spec{
	name:     config.PGD,
	reads:    []*keySet{moveKeys, startKeys, noiseKeys},
	defaults: func(o *config.Options) { o.Dynamics = particle.Overdamped },
	prior:    standardNormal,
	build:    course{}.build,
}

// standardNormal makes the prior of the methods that do not learn one.
func standardNormal(_ *blas.Backend, o config.Options) (prior.Prior, error) {
	return prior.Gaussian{Latent: o.Latent}, nil
}
