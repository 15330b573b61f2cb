package method

import "github.com/plume-ml/plume/trainer/config"

// vae is the variational autoencoder: a Gaussian encoder, the fixed prior N(0, I) and the evidence
// lower bound. Kingma and Welling, "Auto-encoding variational Bayes" (ICLR 2014). Options of
// Langevin moves (step_size, dynamics, inner_steps ...) mean nothing to it; noise on the parameters
// is refused.
var vae = spec{
	name:    config.VAE,
	batch:   encoderBatch,
	check:   noNoise,
	prior:   standardNormal,
	encoder: newEncoder,
	build:   buildVariational,
}
