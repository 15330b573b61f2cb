package method

import "github.com/plume-ml/plume/kernel"

// Streams of the noise that this package draws (trainer/ALGORITHM.md, section 9).
const (
	streamDiagNoise  kernel.Stream = 11 // eps, or an encoder's draws, of diagnostics and inference
	streamDiagLambda kernel.Stream = 12 // levels of diagnostics and inference
	streamEncoder    kernel.Stream = 17 // latents drawn from an encoder
	streamProposal   kernel.Stream = 18 // proposals of the importance-sampled likelihood
)
