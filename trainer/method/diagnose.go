package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// Diagnose implements Method.
func (f *Flow) Diagnose(done float64) Diagnostics {
	return Diagnostics{
		Cloud: f.cloud.Stats(), ExtraTemperature: f.reach(f.stepSize(done)) / 2 * f.driftVariance(),
		StepSize: f.stepSize(done), LR: f.learningRate(done),
	}
}

// reach is how far a drift of 1 takes a particle in the end, by one move of step size h: the
// velocity that it gives lasts. Moves draw their own noise of variance 2 reach, in the end, and
// that of the drift adds reach^2 v: hence reach v/2, exactly for overdamped moves, and otherwise
// where h is small against the friction squared and the posterior's variances.
func (f *Flow) reach(h float64) float64 {
	o := &f.setup.Options
	switch o.Dynamics {
	case particle.Underdamped:
		return h / o.Friction
	case particle.Exact: // tau/gamma (package particle)
		return h * -math.Log1p(-o.Friction) / (o.Friction * o.Friction)
	}
	return h
}

// diagnosis is memory for the datapoints that driftVariance looks at, and for one evaluation of
// their drifts.
func (f *Flow) diagnosis(a *memory.Arena) (index []int, drift []float32) {
	n := min(f.setup.Batch, f.cloud.M)
	return a.Ints(memory.Activations, n), a.Floats(memory.Activations, n, f.cloud.N, f.cloud.D)
}

// driftVariance is the variance per coordinate of the noise in the prior drift: half the mean
// squared difference of two evaluations that share nothing but z, on the first datapoints, with
// streams of their own so that training does not notice.
func (f *Flow) driftVariance() float64 {
	index, first := f.diagnosis(nil)
	n := len(index)
	for i := range index {
		index[i] = i
	}
	f.begin(f.pass(index), true)
	f.gathered = false // these are not the rows of a minibatch

	rows := n * f.cloud.N
	level, noise := f.key(prior.StreamDiagLambda), f.key(prior.StreamDiagNoise)
	drift := f.batch.Rows(f.batch.P, 0, rows)
	measure := func() {
		if !f.now.held {
			f.priorTape.Begin(rows, level, noise)
		}
		f.setup.Pool.Run(f.priorRows())
	}
	measure()
	copy(first, drift)
	level, noise = level.Twin(), noise.Twin()
	measure()

	var v float64
	for i, g := range drift {
		d := float64(g) - float64(first[i])
		v += d * d / 2
	}
	return v / float64(len(drift))
}
