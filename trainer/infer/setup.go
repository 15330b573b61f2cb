package infer

import (
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// Setup is what a Posterior is built from, besides the model.
type Setup struct {
	Images data.Rows // M rows of D numbers
	// Conditions are what the networks read of the images, M rows; nil: no conditions.
	Conditions data.Rows
	// Missing says which pixels are not known. They have no part in the likelihood, and in Images
	// may be any finite numbers. nil: none.
	Missing *data.Missing

	Particles int // chains N for each image
	Batch     int // largest number of images whose particles move together
	Hold      int // images whose particles are in memory at a time (Posterior.Hold); 0: all
	Tile      int // rows of one task; the bits depend on it
	Seed      uint64
	Pool      *pool.Pool
	// Progress is called with how far Run, Settle and Marginals have come: "move 120 of 600"; nil:
	// not.
	Progress func(at string)

	// The moves are underdamped. Their step size falls geometrically from StepSize to StepSizeEnd,
	// and then stays there.
	StepSize, StepSizeEnd float64

	Friction float64 // share of the velocity lost per move
	Clip     float64 // largest root mean square of h*drift over a particle; 0: no limit
}

// Standard returns a Setup with the moves that suit every method, so that what is inferred compares
// models and not how they were trained; and with as many images in a batch as suit the given number
// of particles.
func Standard(particles int) Setup {
	const rows = 500
	return Setup{
		Particles: particles, Batch: max(1, rows/particles),
		StepSize: 2e-3, StepSizeEnd: 2e-4, Friction: 0.2, Clip: 0.3,
	}
}
