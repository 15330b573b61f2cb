// Package phase tells the profiler in which part of a training step a goroutine works: samples
// of a CPU profile carry the label "phase", and goroutines do in a dump of them.
//
// Go's profiler has one set of labels for a goroutine and no way to ask for it, so that a phase
// replaces whatever labels a goroutine carried.
package phase

import (
	"context"
	"runtime/pprof"
)

// Label is the key of the label.
const Label = "phase"

// Phase is a part of a training step, or of the drawing of images between steps.
type Phase int

// The phases of a step, in its order, then those of reports and of plume sample.
const (
	Pack            Phase = iota // weights are laid out for products
	Gather                       // particles and images of a minibatch come together
	EncoderForward               // encoder forward, and draws of latents from what it says
	EncoderBackward              // its loss and backward
	Noise                        // levels and eps are drawn, z is noised
	ScoreForward                 // score network forward
	ScoreBackward                // its loss and backward, down to the drift
	Prior                        // drift of a prior without a score network
	DecoderForward               // decoder forward
	DecoderBackward              // its loss and backward, down to the drift
	Reduce                       // gradients of the parameters, sums over all rows
	Move                         // Langevin moves
	Optimizer                    // updates of the parameters and of their averages
	Sample                       // latents are drawn from the prior
	Decode                       // images are made of latents
)

var names = [...]string{
	Pack: "pack", Gather: "gather", EncoderForward: "encoder-forward", EncoderBackward: "encoder-backward",
	Noise: "noise", ScoreForward: "score-forward", ScoreBackward: "score-backward", Prior: "prior",
	DecoderForward: "decoder-forward", DecoderBackward: "decoder-backward", Reduce: "reduce", Move: "move",
	Optimizer: "optimizer", Sample: "sample", Decode: "decode",
}

// contexts carry one label each. Made once: entering a phase is then the store of a pointer.
var contexts = func() (all [len(names)]context.Context) {
	for i, name := range names {
		all[i] = pprof.WithLabels(context.Background(), pprof.Labels(Label, name))
	}
	return all
}()

// String is the value of the label.
func (p Phase) String() string { return names[p] }

// Enter labels the calling goroutine until it enters another phase; a pool's workers,
// the caller of its Run among them, drop it when no task is left. It does not allocate and takes
// some nanoseconds.
func (p Phase) Enter() { pprof.SetGoroutineLabels(contexts[p]) }
