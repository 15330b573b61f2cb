// Package prior is the priors p_theta(z) of the latents: N(m, I) (Gaussian), a diffusion with a
// learned score (Diffusion), and either of them shifted and scaled (Standardised). A Prior
// evaluates -log p(z), or a bound on it, with its gradients by z and theta (Tape), and draws
// samples (Sampler).
package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Prior is p_theta(z). Methods know a prior only through this interface.
type Prior interface {
	// Layout is the layout of theta; its size is 0 for a prior without parameters.
	Layout() *model.Layout
	// NewTape binds the prior to parameters p and to memory from the arena for a batch of rows.
	NewTape(a *memory.Arena, p []float32, rows int, use model.Use) Tape
	// NewSampler binds the prior to parameters p and to memory from the arena to draw rows at once.
	NewSampler(a *memory.Arena, p []float32, rows int) Sampler

	// Closed reports whether the prior is N(m, I) for some m. Then the losses of its tape are
	// exactly -log p(z), and their mean under a Gaussian q(z) is known in closed form: the loss at
	// q's mean plus half the sum of q's variances.
	Closed() bool
	// Standardise stores the mean and the standard deviation (above zero) of each latent dimension
	// in the parameters p, if the prior has such parameters.
	Standardise(p []float32, mean, std []float64)
	// Steady returns the prior with the known part of the noise in its losses removed. It returns
	// the prior itself if its losses have no noise.
	Steady() Prior
}

// Tape evaluates the prior on a batch; ranges of rows are independent of each other.
type Tape interface {
	model.Packer
	// Draws is the number of rows of the prior's network for each row of the batch: one for a prior
	// whose loss has no noise.
	Draws() int
	// Begin starts a batch and draws the noise levels of its rows. level and noise are keys for the
	// levels and for the noise of the rows.
	Begin(rows int, level, noise kernel.Key)
	// Rows evaluates rows lo to hi of the batch. z (hi-lo x d) are those rows, ids their addresses
	// in the noise stream. It writes -log p(z) or its bound, in nats, into loss (one number a row),
	// and the gradient of that by z into g (hi-lo x d). With train it prepares Grad. Without train
	// g may be nil: then only the loss is computed. A tape for model.Evaluate can do only that.
	Rows(lo, hi int, z []float32, ids []uint64, g, loss []float32, train bool)
	// Grad writes the task's part of the gradient by theta of the mean loss over rows 0 to rows
	// into grad, which has the layout of theta. The tasks are 0 .. GradTasks()-1.
	GradTasks() int
	Grad(task int, grad []float32, rows int)
}

// Sampler draws latents; ranges of rows are independent of each other.
type Sampler interface {
	model.Packer
	// Sample replaces the rows of z (hi-lo x d), which are N(0, I), by samples of the prior. ids
	// are their addresses in the noise stream; lo to hi are the rows of the sampler's memory that
	// it uses.
	Sample(lo, hi int, z []float32, ids []uint64, spec SampleSpec)
}

// SampleSpec says how a diffusion prior is sampled.
type SampleSpec struct {
	Solver diffusion.Solver
	Steps  int
	Seed   uint64

	Stop func() bool // called before each step; true ends the sampling early; nil: never
}
