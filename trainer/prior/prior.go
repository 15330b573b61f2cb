// Package prior is the priors p_theta(z) of the latents, as particles, the parameters theta and
// sampling feel them.
package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Prior is p_theta(z). Whatever a method wants to know of a prior, it asks the prior: nothing
// depends on which one it is.
type Prior interface {
	// Layout is where theta lies; its size is 0 for a prior without parameters.
	Layout() *model.Layout
	// NewTape binds the prior to parameters and to memory for a batch of rows, from the arena.
	NewTape(a *memory.Arena, p []float32, rows int, use model.Use) Tape
	// NewSampler binds the prior to parameters and to memory for drawing rows, from the arena.
	NewSampler(a *memory.Arena, p []float32, rows int) Sampler

	// Closed reports whether the prior is N(m, I) for some m. Then the losses of its tape are
	// exactly -log p(z), and their mean under a Gaussian q(z) is in closed form: the loss at q's
	// mean, and half the sum of q's variances.
	Closed() bool
	// Standardise gives the parameters p the mean and the standard deviation (above zero) of each
	// latent dimension, if the prior has such parameters.
	Standardise(p []float32, mean, std []float64)
	// Steady is the prior with the known part of the noise in its losses removed; the prior itself,
	// if its losses have none.
	Steady() Prior
}

// Streams of the noise of priors, and of encoders, outside of training (trainer/ALGORITHM.md,
// section 9).
const (
	StreamDiagNoise  kernel.Stream = 11 // eps, or an encoder's draws, of diagnostics and inference
	StreamDiagLambda kernel.Stream = 12 // levels of diagnostics and inference
)

// Tape evaluates the prior on a batch; ranges of rows are independent of each other.
type Tape interface {
	model.Packer
	// Begin draws what the rows of a batch share. level and noise are keys of the noise stream.
	Begin(rows int, level, noise kernel.Key)
	// Rows takes rows lo to hi of z, addressed by ids, and writes -grad log p(z), or that of its
	// bound, into g and the bound on -log p(z) into loss (nats, one a row). For train it prepares
	// Grad; without it g may be nil, and then only the loss is wanted, all that a tape for
	// model.Evaluate gives.
	Rows(lo, hi int, z []float32, ids []uint64, g, loss []float32, train bool)
	// Grad writes a task's part of the gradient of the mean loss over rows 0 to rows.
	GradTasks() int
	Grad(task int, grad []float32, rows int)
}

// Sampler draws latents; ranges of rows are independent of each other.
type Sampler interface {
	model.Packer
	// Sample turns rows lo to hi of z, which are N(0, I), into samples of the prior.
	Sample(lo, hi int, z []float32, ids []uint64, how SampleSpec)
}

// SampleSpec says how a diffusion prior is sampled.
type SampleSpec struct {
	Solver diffusion.Solver
	Steps  int
	Seed   uint64

	Stop func() bool // asked before each step whether to end early; nil: no
}
