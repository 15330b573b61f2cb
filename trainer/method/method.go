// Package method is the training methods. Each is a way to move latents and parameters, in a file
// of its own that cites its paper (ipld.go, pgd.go, ...). Three engines do the work: one moves
// particles (flow.go), one draws latents from an encoder (variational.go), and one fits a prior to
// the latents of one of the two (staged.go). Their steps read from top to bottom, in step.go,
// variational_step.go and staged_step.go.
//
// New builds a Method from a Setup and the method's name. DefaultOn gives the options to start from
// for images of a shape. Resolve makes the choices that options leave to the images, such as which
// networks suit them (networks.go); Memory counts the memory that a method would need.
//
// To add a method, name it in package config (Method and Methods, run.go), write its spec in a file
// of its own, and list the spec in specs (spec.go). A spec says which keys of the configuration the
// method reads (reads.go), what its options must not be, and how it is built. The tests then cover
// it too.
package method

//go:generate go test -run ^TestKeysDocument$ -count=1 . -update

import (
	"context"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Method trains a model, one minibatch at a time.
type Method interface {
	// Step makes one parameter step on a minibatch. If numbers are no longer finite its error is a
	// *Fault, which wraps ErrDiverged. The state must then be restored before the next step. Errors
	// of a cloud in a file are those of Err.
	Step(b Minibatch) (Stats, error)
	// Slow multiplies the step size of the moves and the learning rates by a factor in (0, 1],
	// which replaces that of the last call.
	Slow(factor float64)
	// Diagnose measures what is too expensive to measure at every step. done is the Progress of the
	// last step's Minibatch.
	Diagnose(done float64) Diagnostics
	// Tensors returns the whole state, which checkpoints save and restore, as live slices.
	Tensors() []checkpoint.Tensor
	// Restored must be called after the tensors were filled from a checkpoint.
	Restored()
	// Generator returns a generator of new images, with the averaged weights if ema is set.
	Generator(ema bool) *generate.Generator
	// Latents writes a latent of each of the training images idx into z (len(idx) x d): the first
	// particle, or the mean of the encoder with the weights of g. If g is nil, the rank has asked
	// for nothing, and only gives the others what they ask for.
	Latents(g *generate.Generator, z []float32, idx []int)
	// Err returns the error of a cloud in a file, if it failed. Call it after Diagnose and Latents,
	// and before saving the tensors. Step returns such errors itself.
	Err() error
	// Close frees the file of such a cloud. The method must not be used afterwards.
	Close() error
}

// Minibatch is the input of a step.
type Minibatch struct {
	Index    []int   // datapoints, at most Setup.Batch, those of the first lane first
	Number   uint32  // minibatches before this one, over all epochs
	Repeat   int     // steps already made on this minibatch
	Progress float64 // share of the whole training that is done, in [0, 1): drives the schedules
}

// Diagnostics describe the particles at the end of an epoch. If particles do not move, StepSize and
// ExtraTemperature are NaN.
type Diagnostics struct {
	Cloud        particle.Stats
	StepSize, LR float64 // current values

	// ExtraTemperature is what the noise of the prior's drift adds to the particles' temperature of
	// 1: h v / 2 for noise of variance v per coordinate, or about h v / (2 friction) with
	// velocities.
	ExtraTemperature float64
}

// Setup is what a method is built from.
type Setup struct {
	Options config.Options
	Train   data.Dataset
	Batch   int       // largest number of datapoints in a minibatch
	Tile    int       // most rows of one task; the bits depend on it
	Wave    int       // rows between parts of the gradients; 0: as memory allows
	Lanes   int       // blocks of datapoints that are summed for themselves (package comm); 0: 1
	Comm    comm.Comm // the other ranks, which make the same calls; nil: there are none
	Seed    uint64
	Steps   int // parameter steps of the whole training; 0: unknown
	Pool    *pool.Pool
	Clock   *phase.Clock // counts the time of steps by phase; nil: it is not counted

	// CloudDir is the directory for a file that holds the particles' positions and velocities;
	// empty: they are in memory. The bits are the same.
	CloudDir string
	Ctx      context.Context // ends New early, while that file is made; nil: never
	// Placed is called by New with where cloud_init = pca has put the particles; nil: not.
	Placed func(*Components)

	// Products computes the products of the networks that Options describe, in their precision;
	// nil: the present default of package blas. Methods with different ones can train at once.
	Products *blas.Backend
	// Decoder, Prior and Encoder, where not nil, replace the networks that Options describe: tests
	// train models with known solutions. An encoder maps D numbers to 2 d, the mean and the
	// log-variance of q(z|x); methods without one ignore it.
	Decoder *model.Net
	Prior   prior.Prior
	Encoder *model.Net

	// With the option condition, networks read the class of a datapoint, numbered by Classes; if
	// that is empty, by the classes of Train. Conditions, unless nil, has other conditions in their
	// place: a row for each datapoint.
	Classes    data.Classes
	Conditions data.Rows

	likelihood likelihood.Likelihood // of a datapoint given the decoder's output
	planned    int                   // number of workers if Pool is nil, to count memory
	laneBatch  int                   // most datapoints of a lane in a minibatch
	ranks      *ranks                // of Comm
}
