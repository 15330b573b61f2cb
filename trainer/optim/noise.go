package optim

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// Noise is the noise that every step adds to the parameters, Scale*sqrt(2 lr) standard normals,
// after the update and before the average: the Langevin step of temperature Scale^2. Scale 0: none.
type Noise struct {
	Scale   float64
	Seed    uint64
	Network uint32 // one buffer's normals are not another's
}

const errChunk = "optim: with noise, parts of a buffer start at a multiple of kernel.GroupLen"

// perturb adds the noise to p, elements lo and up of the buffer, and leaves the normals in xi. A
// normal's address is the number of its parameter and the step, not the cut into parts.
func (o *Optimizer) perturb(p, xi []float32, lo int) {
	if lo%kernel.GroupLen != 0 {
		panic(errChunk)
	}
	key := kernel.Key{Seed: o.Noise.Seed, Step: o.Steps[0], Stream: StreamParams}
	kernel.Normal(xi, key, uint64(o.Noise.Network)<<32+uint64(lo/kernel.GroupLen))
	kernel.Axpy(p, float32(o.Noise.Scale*math.Sqrt(2*o.lr)), xi)
}

// StreamParams is the stream of the noise on the parameters (trainer/ALGORITHM.md, section 9).
const StreamParams kernel.Stream = 14 // noise on the parameters
