package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
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
	index, z := v.diagnosis(nil)
	for i := range index {
		index[i] = i
	}
	o := &v.setup.Options
	seen := particle.Cloud{M: len(index), N: o.Particles, D: o.Latent, Z: z}
	for len(index) > 0 {
		n := min(v.setup.Batch, len(index))
		v.draw(index[:n], diffusion.StreamDiagNoise)
		z = z[copy(z, v.rows(v.z, 0, len(v.ids))):]
		index = index[n:]
	}
	v.gathered = false // x does not hold the images of a minibatch
	return Diagnostics{
		Cloud: seen.Stats(1), LR: v.learningRate(done),
		ExtraTemperature: math.NaN(), StepSize: math.NaN(),
	}
}

// diagnosis returns memory for the datapoints that Diagnose uses, and for their latents.
func (v *variational) diagnosis(a *memory.Arena) (index []int, z []float32) {
	n, o := min(diagnosed, v.setup.Train.Len()), &v.setup.Options
	return a.Ints(memory.Activations, n), a.Floats(memory.Activations, n, o.Particles, o.Latent)
}
