package comm

import (
	"errors"
	"math"
)

// Network is a model of what a SumTree costs: MODEL.md has its formula, what was measured, and what
// it predicts.
type Network struct {
	Latency   float64 // of a message, in seconds
	Bandwidth float64 // of one rank, in bytes a second, each way
	Add       float64 // of one number to another, in seconds
}

// The bytes of a number in the two halves of a SumTree: what is summed is float32; what the ranks
// gather could be bf16.
const (
	Float32Bytes = 4
	BF16Bytes    = 2
)

// SumTree is the seconds for so many numbers on so many ranks. gathered is the bytes of a number in
// the second half.
func (n Network) SumTree(ranks int, numbers float64, gathered int) float64 {
	p := float64(ranks)
	share := (p - 1) / p * numbers // what a rank sends in each half, and what it adds
	return 2*math.Log2(p)*n.Latency + share*float64(Float32Bytes+gathered)/n.Bandwidth + share*n.Add
}

// Weak is the factor by which so many ranks are faster than one that makes all of their steps:
// each has a minibatch of its own, whose step takes step seconds, and exchange seconds are added.
func Weak(ranks int, step, exchange float64) float64 {
	return float64(ranks) * step / (step + exchange)
}

// Strong is the factor by which so many ranks are faster than one that takes step seconds for a
// minibatch of which each has a part.
func Strong(ranks int, step, exchange float64) float64 {
	return step / (step/float64(ranks) + exchange)
}

// Sample is a measured SumTree.
type Sample struct {
	Ranks   int
	Numbers float64
	Seconds float64
}

// Fit returns the latency and the bandwidth that describe samples best, by least squares of
// relative errors, and add, the seconds of an addition: it cannot be told from the bandwidth by
// such samples, and is measured by itself. Errors are samples of one length only, and those that
// the model does not describe.
func Fit(samples []Sample, add float64) (Network, error) {
	// Seconds = u Latency + v / Bandwidth + w, each divided by the seconds.
	var uu, uv, vv, uy, vy float64
	for _, s := range samples {
		unit := Network{Latency: 1, Bandwidth: math.Inf(1)}
		u := unit.SumTree(s.Ranks, s.Numbers, Float32Bytes) / s.Seconds
		unit = Network{Bandwidth: 1}
		v := unit.SumTree(s.Ranks, s.Numbers, Float32Bytes) / s.Seconds
		unit = Network{Bandwidth: math.Inf(1), Add: add}
		y := 1 - unit.SumTree(s.Ranks, s.Numbers, Float32Bytes)/s.Seconds
		uu, uv, vv, uy, vy = uu+u*u, uv+u*v, vv+v*v, uy+u*y, vy+v*y
	}
	det := uu*vv - uv*uv
	if !(det > 1e-9*uu*vv) {
		return Network{}, errors.New("a fit of latency and bandwidth needs samples of several " +
			"lengths")
	}
	latency, slowness := (uy*vv-vy*uv)/det, (vy*uu-uy*uv)/det
	if !(slowness > 0) {
		return Network{}, errors.New("the samples do not grow with their lengths")
	}
	return Network{Latency: latency, Bandwidth: 1 / slowness, Add: add}, nil
}
