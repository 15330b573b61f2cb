package method

// pgd is particle gradient descent: the same flow with the fixed prior N(0, I), so that only the
// decoder is learned. Kuntz, Lim and Johansen, "Particle algorithms for maximum likelihood
// training of latent variable models" (AISTATS 2023).
var pgd = spec{
	name:      "pgd",
	prior:     func(o Options) Prior { return Gaussian{Latent: o.Latent} },
	build:     func(s Setup) (Method, error) { return NewFlow(s) },
	footprint: flowFootprint,
}
