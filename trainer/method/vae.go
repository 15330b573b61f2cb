package method

import "github.com/plume-ml/plume/trainer/config"

// vae is the variational autoencoder: a Gaussian encoder, the fixed prior N(0, I) and the evidence
// lower bound. Kingma and Welling, "Auto-encoding variational Bayes" (ICLR 2014).
var vae = spec{
	name:    config.VAE,
	reads:   []*keySet{encoderKeys},
	batch:   encoderBatch,
	prior:   standardNormal,
	encoder: newEncoder,
	build:   buildVariational,
}
