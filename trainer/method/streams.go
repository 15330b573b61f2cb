package method

import "github.com/plume-ml/plume/kernel"

// Streams of the noise that this package draws (trainer/ALGORITHM.md, section 9).
const (
	streamEncoder kernel.Stream = 17 // latents drawn from an encoder
	streamDrop    kernel.Stream = 20 // conditions left out
)
