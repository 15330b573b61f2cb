// Package prior is the priors p_theta(z) of the latents: N(m, I) (Gaussian), a diffusion with a
// learned score (Diffusion), and either of them shifted and scaled (Standardised). A Prior
// evaluates -log p(z), or a bound on it, with its gradients by z and theta (Tape), and draws
// samples (Sampler).
package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Prior is p_theta(z). Methods know a prior only through this interface.
type Prior interface {
	// Layout is the layout of theta; its size is 0 for a prior without parameters.
	Layout() *model.Layout
	// NewTape binds the prior to parameters p and to memory from the arena for a batch of rows.
	NewTape(a *memory.Arena, p []float32, size model.Size, use model.Use) Tape
	// NewSampler binds the prior to parameters p and to memory from the arena for calls of Sample
	// with size.Tile rows or fewer, size.Passes at a time.
	NewSampler(a *memory.Arena, p []float32, size model.Size) Sampler
	// TileRows is how many rows a tile should have at most (model.Net.TileRows).
	TileRows() int
	// Kept is how many numbers a row the gradient by theta reads.
	Kept() int

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
	// levels and for the noise of the rows (diffusion.BoundTape.Begin).
	Begin(rows int, level, noise kernel.Key, lanes ...diffusion.Lane)
	// Evaluate evaluates rows of the batch, as diffusion.BoundTape.Evaluate does. The loss is
	// -log p(z), or a bound on it. Without Train, G may be nil: then only the loss is computed. A
	// tape for model.Evaluate can do only that.
	Evaluate(r diffusion.Rows)
	// Levels are sums by noise level over rows lo to hi of the batch, which have been evaluated
	// with their losses (diffusion.BoundTape.Levels): zeros for a prior without levels.
	Levels(lo, hi int) diffusion.Levels
	// Wave starts a wave of rows with the given row of the batch (model.Tape.Begin).
	Wave(first int)
	// Reduce says what the tasks 0 .. GradTasks()-1 of Grad compute: the gradient by theta over
	// the rows of the wave. They and the methods that follow are those of model.Tape.
	Reduce(w layer.Wave)
	GradTasks() int
	Grad(task int)
	GradPieces() int
	GradPiece(piece int) (task int, done bool)
	Writes(task int) []memory.Block
	Updated(task int)
	Work() float64
	// Visit makes f see the output of each layer of the prior's network in the calls of
	// Evaluate that follow; nil ends that.
	Visit(f func(model.Values))
	// Gradients is that of model.Tape.
	Gradients() []model.Values
}

// Sampler draws latents; ranges of rows are independent of each other.
type Sampler interface {
	model.Packer
	// Sample replaces the rows of z (len(ids) x d), which are N(0, I), by samples of the prior. ids
	// are their addresses in the noise stream.
	Sample(z []float32, ids []uint64, spec SampleSpec)
}

// SampleSpec says how a diffusion prior is sampled.
type SampleSpec struct {
	Solver diffusion.Solver
	Steps  int
	Seed   uint64
	Seeds  []uint64 // of the rows, in the place of Seed; nil: that of all rows

	// Condition is what each row is to be like, rows as wide as the network's input
	// [model.Condition]; nil: no conditions.
	Condition []float32
	// Guidance is the weight w of eps = (1+w) eps_c - w eps_0, where eps_c is the prediction with
	// the condition and eps_0 that without; 0 or more (Ho and Salimans 2022).
	Guidance float64

	Stop func() bool // called before each step; true ends the sampling early; nil: never
}
