// Package method is the training methods: each is one way to move latents and parameters, in a file
// of its own that cites its paper. Three engines do the work: Flow moves particles, Variational
// draws latents from an encoder, and Staged fits a prior to the latents of one of the two. A step
// of each reads from top to bottom, in step.go, variational_step.go and staged_step.go.
package method

import (
	"context"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Method trains a model, one minibatch at a time.
type Method interface {
	// Step makes one parameter step on a minibatch. Its error is a *Fault, which wraps ErrDiverged:
	// the state is then of no use until it is restored.
	Step(b Minibatch) (Stats, error)
	// Slow multiplies the step size of the moves and the learning rates by a factor in (0, 1], in
	// place of the factor before.
	Slow(factor float64)
	// Diagnose measures what is too dear to measure at every step; done is the share of training
	// that the last step had behind it, as in its Minibatch.
	Diagnose(done float64) Diagnostics
	// Tensors are the whole state, as live slices: what a checkpoint saves and restores.
	Tensors() []checkpoint.Tensor
	// Restored must be called after the tensors were filled from a checkpoint.
	Restored()
	// Generator makes new images, with the averaged weights for ema.
	Generator(ema bool) *generate.Generator
	// Latents writes a latent of each training image of idx, of d numbers, into z: its first
	// particle, or the mean of an encoder with the generator's weights.
	Latents(g *generate.Generator, z []float32, idx []int)
	// Err is what failed of a cloud that lies in a file: ask it after Diagnose and Latents, and
	// before the tensors are saved. Step returns it by itself.
	Err() error
	// Close gives such a file back. The method is of no use afterwards.
	Close() error
}

// Minibatch is what a step trains on.
type Minibatch struct {
	Index    []int   // datapoints, at most Setup.Batch
	Number   uint32  // minibatches before this one, over all epochs
	Repeat   int     // steps taken on this minibatch so far
	Progress float64 // share of the whole training that is done, in [0, 1): drives the schedules
}

// Diagnostics describe the particles at the end of an epoch. Where nothing moves, what describes
// moves is NaN.
type Diagnostics struct {
	Cloud        particle.Stats
	StepSize, LR float64 // in force

	// ExtraTemperature is what the noise of the prior drift adds, of variance v per coordinate:
	// h v / 2, or about h v / (2 friction) with velocities.
	ExtraTemperature float64
}

// Setup is what a method is built from.
type Setup struct {
	Options config.Options
	Train   data.Dataset
	Batch   int // most datapoints in a minibatch
	Tile    int // rows that a worker takes through the networks at a time; part of the bits
	Seed    uint64
	Steps   int // parameter steps of the whole training; 0: not known
	Pool    *pool.Pool

	// CloudDir is the directory of the file in which the particles' positions and velocities lie;
	// empty: they are in memory. The bits are the same.
	CloudDir string
	Ctx      context.Context // ends New early, while that file is made; nil: nothing does

	// Decoder, Prior and Encoder replace the networks that Options describe, where they are not
	// nil: so the same code trains models whose truth is known. An encoder, which methods without
	// one ignore, maps D numbers to 2 d: the mean and the log-variance of q(z|x).
	Decoder model.Net
	Prior   prior.Prior
	Encoder model.Net

	planned int // workers where there is no Pool yet
}

// tiles cuts the rows of a batch of datapoints for some networks. All rows of a datapoint share a
// tile, so that one task gathers its image. The cut may follow the number of threads only if no
// network's bits depend on it.
func (s *Setup) tiles(points int, networks ...model.Packer) pool.Tiles {
	free := true
	for _, n := range networks {
		free = free && n.CutFree()
	}
	return s.Pool.Tiles(points, s.Options.Particles, s.Tile, free)
}
