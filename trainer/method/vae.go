package method

// vae is the variational autoencoder: a Gaussian encoder, the fixed prior N(0, I) and the evidence lower bound.
// Kingma and Welling, "Auto-encoding variational Bayes" (ICLR 2014). Options of Langevin moves (step_size, dynamics,
// drift_clip ...) and of noise on the parameters mean nothing to it.
var vae = spec{
	name:      "vae",
	defaults:  encoderDefaults,
	batch:     encoderBatch,
	check:     noNoise,
	prior:     func(o Options) Prior { return Gaussian{Latent: o.Latent} },
	encoder:   newEncoder,
	build:     func(s Setup) (Method, error) { return NewVariational(s) },
	footprint: variationalFootprint,
}
