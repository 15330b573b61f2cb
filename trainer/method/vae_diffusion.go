package method

import (
	"github.com/plume-ml/plume/trainer/config"
)

// vaeDiffusion is the variational analogue of ipld: the same decoder, diffusion prior and free
// energy, trained end to end, with an amortised Gaussian q(z|x) in place of the particles. It
// resembles LSGM: Vahdat, Kreis and Kautz, "Score-based generative modeling in latent space"
// (NeurIPS 2021), whose prior is also a residual on N(0, I). LSGM has several groups of latents,
// and weights and samples the noise levels differently.
var vaeDiffusion = spec{
	name:    config.VAEDiffusion,
	reads:   []*keySet{encoderKeys, scoreKeys, jointKeys, solverKeys},
	batch:   encoderBatch,
	prior:   newDiffusion,
	encoder: newEncoder,
	build:   buildVariational,
}
