// Package model is the networks: each a stateless description of its layers, whose tapes run
// forward and backward on rows and keep what the backward pass needs. All arrays are
// row-major float32.
package model

import "github.com/plume-ml/plume/trainer/memory"

// Use is what a tape is made for.
type Use bool

// The uses.
const (
	Evaluate Use = false // Forward alone
	Train    Use = true  // Forward, Backward and Grad
)

// Net is a network from rows of In numbers to rows of Out numbers.
type Net interface {
	In() int
	Out() int
	Layout() *Layout
	// NewTape binds the network to parameters (Layout().Size() of them, read at each call) and
	// to memory for a number of rows, activations and packed weights, from the arena.
	NewTape(a *memory.Arena, p []float32, rows int, use Use) Tape
}

// Packer lays parameters out for products; all of its tasks come before other methods when the
// parameters are new. They are independent of each other.
type Packer interface {
	PackTasks() int
	Pack(task int)
}

// Tape is the memory of one pass of a network over a batch. Ranges of rows are independent of each
// other, so that workers can take disjoint ranges at once. When the parameters are new, all tasks
// of packing come first. For rows lo to hi: fill In, call Forward, read Out; turn Out into the
// gradient of the loss by it, call Backward. When all rows are done, the tasks 0 .. GradTasks()-1
// compute the gradient of the parameters; they too are independent of each other.
type Tape interface {
	Packer
	In(lo, hi int) []float32
	Out(lo, hi int) []float32
	Forward(lo, hi int)
	// Backward reads the gradient of the output from Out and writes that of the input, rows
	// hi-lo, into din; din may be nil if it is not needed. Forward must be called anew before the
	// next Backward: the activations are consumed.
	Backward(lo, hi int, din []float32)
	GradTasks() int
	// Grad writes task's part of scale * gradient, summed over rows 0 to rows.
	Grad(task int, grad []float32, rows int, scale float32)
}

// ScoreNet is the residual r_theta(z_lambda, lambda); In and Out are
// both the latent dimension.
type ScoreNet interface {
	In() int
	Layout() *Layout
	NewScoreTape(a *memory.Arena, p []float32, rows int, use Use) ScoreTape
}

// ScoreTape is a Tape with a second input, the log-SNR of each row.
type ScoreTape interface {
	Tape
	Lambda(lo, hi int) []float32
	// ForwardAt is Forward for rows of one level, lambda, whose share of the work it does once.
	ForwardAt(lo, hi int, lambda float32)
}
