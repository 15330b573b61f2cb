package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// Diagnose implements Method.
func (f *flow) Diagnose(done float64) Diagnostics {
	return Diagnostics{
		Cloud:            f.stats(),
		ExtraTemperature: f.reach(f.stepSize(done)) / 2 * f.driftVariance(),
		StepSize:         f.stepSize(done), LR: f.learningRate(done),
	}
}

// stats are the statistics of the particles of all ranks.
func (f *flow) stats() particle.Stats {
	l := f.lanes
	moments := l.sum(2*f.cloud.D, func(i, _, _ int, part []float64) {
		first, last := comm.Block(l.datapoints, l.all, l.first+i)
		f.cloud.Moments(part, first, last)
	})
	return particle.StatsOf(moments, l.datapoints*f.cloud.N)
}

// reach returns the total distance by which a drift of 1 in one move of step size h displaces a
// particle, including the later moves in which the velocity from it decays. The noise of a move
// displaces the particle by a variance of 2 reach in total, and noise of variance v in the drift
// adds reach^2 v. The ratio is the extra temperature, reach v/2: exactly for overdamped moves, and
// otherwise if h is small against the friction squared and the posterior's variances.
func (f *flow) reach(h float64) float64 {
	o := &f.setup.Options
	switch o.Dynamics {
	case particle.Underdamped:
		return h / o.Friction
	case particle.Exact: // tau/gamma (package particle)
		return h * -math.Log1p(-o.Friction) / (o.Friction * o.Friction)
	}
	return h
}

// diagnosis returns memory for the datapoints that driftVariance uses, and for one evaluation of
// their drifts.
func (f *flow) diagnosis(a *memory.Arena) (index []int, drift []float32) {
	l := f.lanes
	n := min(f.setup.laneBatch, pool.Pieces(l.datapoints, l.all))
	a.Ints(memory.Activations, n*l.all)
	own := min(f.setup.Batch, f.cloud.M)
	return l.inOrder(0, n), a.Floats(memory.Activations, own, f.cloud.N, f.cloud.D)
}

// driftVariance returns the variance per coordinate of the noise in the prior's drift: half the
// mean squared difference of two evaluations at the same z, for the first datapoints of each lane.
// The noise has streams of its own, so that training does not depend on it.
func (f *flow) driftVariance() float64 {
	index, first := f.diagnosis(nil)
	f.begin(f.pass(index), true)
	f.gathered = false // the batch does not hold the rows of a minibatch
	f.conditions.gather(f.now.index)

	rows := len(f.batch.IDs)
	level, noise := f.key(diffusion.StreamDiagLambda), f.key(diffusion.StreamDiagNoise)
	drift := f.batch.Rows(f.batch.P, 0, rows)
	measure := func() {
		if !f.now.held {
			f.priorTape.Begin(rows, level, noise, f.lanes.levels...)
		}
		for w := range f.now.waves {
			f.enter(w)
			f.setup.Pool.Run(f.priorRows())
		}
	}
	measure()
	copy(first, drift)
	level, noise = level.Twin(), noise.Twin()
	measure()

	width := f.cloud.N * f.cloud.D
	v := f.lanes.sum(1, func(_, from, end int, part []float64) {
		for i := from * width; i < end*width; i++ {
			d := float64(drift[i]) - float64(first[i])
			part[0] += d * d / 2
		}
	})[0]
	return v / float64(f.lanes.points*width)
}
