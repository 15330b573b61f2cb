package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// encoderBatch is the default minibatch of methods with an encoder. It is small: without particles
// to visit, many small steps are worth more than a few large ones.
const encoderBatch = 125

// Tensors implements Method.
func (v *variational) Tensors() []checkpoint.Tensor {
	ts := append(v.encoder.tensors(), v.decoder.tensors()...)
	ts = append(ts, v.prior.tensors()...)
	ts = append(ts, v.conditions.tensors()...)
	return append(ts, checkpoint.Tensor{Name: "counts", Shape: []int{len(v.counts)}, U32: v.counts})
}

// Restored implements Method.
func (v *variational) Restored() {
	v.gathered = false
	v.encoder.packed, v.decoder.packed, v.prior.packed = false, false, false
}

// Generator implements Method.
func (v *variational) Generator(ema bool) *generate.Generator { return v.generator(nil, ema) }

func (v *variational) generator(a *memory.Arena, ema bool) *generate.Generator {
	return v.setup.newGenerator(a, generate.Model{
		DecoderP: v.decoder.values(ema), PriorP: v.prior.values(ema),
		EncoderP: v.encoder.values(ema), Classes: v.conditions.counts,
	})
}

// Latents implements Method, with the encoder's means.
func (v *variational) Latents(g *generate.Generator, z []float32, idx []int) {
	if g == nil {
		return
	}
	x := make([]float32, len(idx)*v.likelihood.Dim())
	v.setup.Train.Gather(x, idx)
	g.Encode(z, make([]float32, len(z)), x, v.conditions.of(idx))
}

// diagnosed is the number of datapoints that the diagnostics use. It gives a standard deviation to
// some 2 %.
const diagnosed = 1024

// Diagnose implements Method. The cloud is latents drawn for the first datapoints, with a noise
// stream of its own. There are no moves, and thus no temperature and no step size.
func (v *variational) Diagnose(done float64) Diagnostics {
	l, o := v.lanes, &v.setup.Options
	sums := make([][]float64, l.count)
	for i := range sums {
		sums[i] = make([]float64, 2*o.Latent)
	}
	wanted := l.diagnosed()
	for lo := 0; lo < wanted; lo += v.setup.laneBatch {
		v.draw(l.inOrder(lo, min(wanted, lo+v.setup.laneBatch)), diffusion.StreamDiagNoise)
		seen := particle.Cloud{N: o.Particles, D: o.Latent, Z: v.rows(v.z, 0, len(v.ids))}
		for i, end := range l.ends {
			seen.Moments(sums[i], l.start(i), end)
		}
	}
	v.gathered = false // x does not hold the images of a minibatch
	moments := l.sum(2*o.Latent, func(i, _, _ int, part []float64) { copy(part, sums[i]) })
	points := 0
	for lane := range l.all {
		first, last := comm.Block(l.datapoints, l.all, lane)
		points += min(wanted, last-first)
	}
	return Diagnostics{
		Cloud: particle.StatsOf(moments, points*o.Particles), LR: v.learningRate(done),
		ExtraTemperature: math.NaN(), StepSize: math.NaN(),
	}
}

// diagnosed is the number of datapoints of each lane that the diagnostics use, fewer if it has no
// more.
func (l *lanes) diagnosed() int {
	return min(pool.Pieces(diagnosed, l.all), pool.Pieces(l.datapoints, l.all))
}

// diagnosis returns memory for the datapoints that Diagnose draws latents for at a time.
func (v *variational) diagnosis(a *memory.Arena) (index []int, none []float32) {
	return a.Ints(memory.Activations, min(v.setup.laneBatch, v.lanes.diagnosed())*v.lanes.all), nil
}
