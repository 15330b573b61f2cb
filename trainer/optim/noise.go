package optim

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// Noise is the noise that every step adds to the parameters after the update and before the
// average: Scale*sqrt(2 lr) times standard normals, the Langevin step of temperature Scale^2.
type Noise struct {
	Scale   float64 // 0: no noise
	Seed    uint64
	Network uint32 // gives each buffer its own normals
}

const errChunk = "optim: with noise, parts of a buffer start at a multiple of kernel.GroupLen"

// perturb adds the noise to p, the elements of the buffer from lo on, and leaves the normals in xi.
// A normal's address is the index of its parameter and the step, so that the cut into parts does
// not matter.
func (o *Optimizer) perturb(p, xi []float32, lo int) {
	if lo%kernel.GroupLen != 0 {
		panic(errChunk)
	}
	key := kernel.Key{Seed: o.Noise.Seed, Step: o.Steps[0], Stream: StreamParams}
	kernel.Normal(xi, key, uint64(o.Noise.Network)<<32+uint64(lo/kernel.GroupLen))
	kernel.Axpy(p, float32(o.Noise.Scale*math.Sqrt(2*o.lr)), xi)
}

// StreamParams is the stream of the noise on the parameters (trainer/ALGORITHM.md, section 9).
const StreamParams kernel.Stream = 14
