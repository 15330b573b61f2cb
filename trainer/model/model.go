// Package model is the networks: the decoder (MLP), the encoder (Encoder) and the score network
// (ResidualScore). Each is a stateless description of its layers. Its Layout says where the
// parameters lie in one flat buffer; its Tape, bound to such a buffer, runs forward and backward on
// rows and keeps what the backward pass needs. All arrays are row-major float32.
package model

import "github.com/plume-ml/plume/trainer/memory"

// Use says what a tape is made for.
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
	// NewTape binds the network to parameters p (Layout().Size() of them) and to memory from the
	// arena for packed weights and the activations of the given number of rows.
	NewTape(a *memory.Arena, p []float32, rows int, use Use) Tape
}

// Packer lays parameters out for products. Whenever the parameters have changed, its tasks 0 ..
// PackTasks()-1 must run before other methods. The tasks are independent of each other.
type Packer interface {
	PackTasks() int
	Pack(task int)
	// CutFree reports whether results have the same bits however rows are cut into ranges. This
	// depends on the backend of the products.
	CutFree() bool
}

// Tape is the memory of one pass of a network over a batch of rows. One pass goes as follows:
//
//   - If the parameters have changed, run all packing tasks.
//   - For rows lo to hi, fill In, call Forward and read Out; replace Out by the gradient of the
//     loss by it and call Backward. Workers can process disjoint ranges of rows at once.
//   - When all rows are done, run the tasks 0 .. GradTasks()-1, which compute the gradient by the
//     parameters. They are independent of each other.
type Tape interface {
	Packer
	In(lo, hi int) []float32
	Out(lo, hi int) []float32
	Forward(lo, hi int)
	// Backward reads the gradient by the output from Out and writes the gradient by the input into
	// din (hi-lo x In), or not if din is nil. It overwrites the activations: Forward must be called
	// again before the next Backward.
	Backward(lo, hi int, din []float32)
	GradTasks() int
	// Grad writes the task's part of scale times the gradient by the parameters, summed over rows 0
	// to rows, into grad, which has the layout of the parameters.
	Grad(task int, grad []float32, rows int, scale float32)
}

// ScoreNet is the residual r_theta(z_lambda, lambda). In, the latent dimension, is the width of
// input and output.
type ScoreNet interface {
	In() int
	Layout() *Layout
	NewScoreTape(a *memory.Arena, p []float32, rows int, use Use) ScoreTape
}

// ScoreTape is a Tape with a second input, the log-SNR of each row.
type ScoreTape interface {
	Tape
	Lambda(lo, hi int) []float32
	// ForwardAt is Forward for rows that all have level lambda, whose embedding it computes once.
	ForwardAt(lo, hi int, lambda float32)
}
