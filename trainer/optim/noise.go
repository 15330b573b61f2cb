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

// perturb adds the noise to p, the elements of the buffer from lo on. A normal's address is the
// index of its parameter and the step, so that the cut into blocks does not matter.
func (o *Optimizer) perturb(p []float32, lo int) {
	key := kernel.Key{Seed: o.Noise.Seed, Step: o.Steps[0], Stream: StreamParams}
	scale := float32(o.Noise.Scale * math.Sqrt(2*o.lr))
	xi := o.takeScratch()
	for len(p) > 0 {
		skip := lo % kernel.GroupLen // of the first group
		n := min(len(p), len(xi)-skip)
		kernel.Normal(xi[:skip+n], key, uint64(o.Noise.Network)<<32+uint64(lo/kernel.GroupLen))
		kernel.Axpy(p[:n], scale, xi[skip:skip+n])
		p, lo = p[n:], lo+n
	}
	o.returnScratch(xi)
}

// spares is the most arrays of scratch that wait for their next use, and scratchLen how many
// numbers one has: whole groups.
const spares, scratchLen = 64, 64 * kernel.GroupLen

func (o *Optimizer) takeScratch() []float32 {
	select {
	case xi := <-o.spare:
		return xi
	default:
		return kernel.Floats(scratchLen)
	}
}

func (o *Optimizer) returnScratch(xi []float32) {
	select {
	case o.spare <- xi:
	default:
	}
}

// StreamParams is the stream of the noise on the parameters (trainer/ALGORITHM.md, section 9).
const StreamParams kernel.Stream = 14
