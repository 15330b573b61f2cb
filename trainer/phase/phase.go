// Package phase labels goroutines for the profiler with the part of a training step that they work
// on. The label "phase" appears in CPU profiles and in dumps of goroutines.
//
// A goroutine has one set of profiler labels, which cannot be read back, so a phase replaces any
// labels that the goroutine had.
package phase

import (
	"context"
	"runtime/pprof"
)

// Label is the key of the label.
const Label = "phase"

// Phase is a part of a training step, or of generating images between steps.
type Phase int

// The phases of a training step, in order, then those of generating images.
const (
	Pack            Phase = iota // pack weights for matrix products
	Gather                       // gather the particles and images of a minibatch
	EncoderForward               // encoder forward, and latents drawn from its posterior
	EncoderBackward              // encoder loss and backward
	Noise                        // draw noise levels and eps, noise z
	ScoreForward                 // score network forward
	ScoreBackward                // score loss and backward, up to the drift
	Prior                        // drift of a prior without a score network
	DecoderForward               // decoder forward
	DecoderBackward              // decoder loss and backward, up to the drift
	Reduce                       // gradients of the parameters, summed over all rows
	Move                         // Langevin moves
	Optimizer                    // updates of the parameters and their moving averages
	Sample                       // draw latents from the prior
	Decode                       // decode latents to images
)

var names = [...]string{
	Pack:            "pack",
	Gather:          "gather",
	EncoderForward:  "encoder-forward",
	EncoderBackward: "encoder-backward",
	Noise:           "noise",
	ScoreForward:    "score-forward",
	ScoreBackward:   "score-backward",
	Prior:           "prior",
	DecoderForward:  "decoder-forward",
	DecoderBackward: "decoder-backward",
	Reduce:          "reduce",
	Move:            "move",
	Optimizer:       "optimizer",
	Sample:          "sample",
	Decode:          "decode",
}

// contexts carry one label each. They are made once, so that entering a phase only stores a
// pointer.
var contexts = func() (all [len(names)]context.Context) {
	for i, name := range names {
		all[i] = pprof.WithLabels(context.Background(), pprof.Labels(Label, name))
	}
	return all
}()

// String is the value of the label.
func (p Phase) String() string { return names[p] }

// Enter labels the calling goroutine until it enters another phase. A pool's workers, including the
// caller of its Run, drop the label when no task is left. Enter does not allocate and takes a few
// nanoseconds.
func (p Phase) Enter() { pprof.SetGoroutineLabels(contexts[p]) }
