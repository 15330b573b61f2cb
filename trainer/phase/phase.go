// Package phase labels goroutines for the profiler with the part of a training step that they work
// on, and adds up the time of each part. The label "phase" appears in CPU profiles and in dumps of
// goroutines.
//
// A goroutine has one set of profiler labels, which cannot be read back, so a phase replaces any
// labels that the goroutine had.
package phase

import (
	"context"
	"runtime/pprof"
	"sync/atomic"
	"time"
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
	Exchange                     // wait for what other ranks have computed
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
	Exchange:        "exchange",
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

// All lists the phases, in order.
func All() []Phase {
	all := make([]Phase, len(names))
	for i := range all {
		all[i] = Phase(i)
	}
	return all
}

// Enter labels the calling goroutine until it enters another phase. A pool's workers, including the
// caller of its Run, drop the label when no task is left. Enter does not allocate and takes a few
// nanoseconds.
func (p Phase) Enter() { pprof.SetGoroutineLabels(contexts[p]) }

// Clock adds up the time that goroutines spend in each phase. The methods of a nil Clock add up
// nothing. They may be called concurrently, and do not allocate.
type Clock struct {
	spent [len(names)]counter
}

// counter is nanoseconds, in a cache line of its own.
type counter struct {
	atomic.Int64
	_ [56]byte
}

// Span is a phase under way on a goroutine, since some time.
type Span struct {
	clock *Clock
	phase Phase
	since time.Duration
}

// began is a time from which others are counted: to read the monotonic clock alone takes half as
// long as time.Now.
var began = time.Now()

// Enter labels the calling goroutine, as Phase.Enter does, and begins to count. Spans of one
// goroutine must not overlap, or their time is counted twice.
func (c *Clock) Enter(p Phase) Span {
	p.Enter()
	if c == nil {
		return Span{}
	}
	return Span{c, p, time.Since(began)}
}

// Enter ends the span and begins one of another phase.
func (s Span) Enter(p Phase) Span {
	p.Enter()
	if s.clock == nil {
		return Span{}
	}
	now := time.Since(began)
	s.clock.spent[s.phase].Add(int64(now - s.since))
	return Span{s.clock, p, now}
}

// End ends the span. The label stays.
func (s Span) End() {
	if s.clock != nil {
		s.clock.spent[s.phase].Add(int64(time.Since(began) - s.since))
	}
}

// Take returns the time spent in a phase since the last call, over all goroutines.
func (c *Clock) Take(p Phase) time.Duration {
	if c == nil {
		return 0
	}
	return time.Duration(c.spent[p].Swap(0))
}
