package method

import "github.com/plume-ml/plume/kernel"

// streamEncoder is the stream of the latents drawn from an encoder (trainer/ALGORITHM.md,
// section 9).
const streamEncoder kernel.Stream = 17
