package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// newEncoder is the encoder that the options describe.
func newEncoder(o config.Options, dim int) model.Net {
	return model.NewEncoder(dim, o.Latent, o.EncoderWidths...)
}

// encoderBatch is small: many steps are worth more than large ones where no particles wait to be
// visited.
const encoderBatch = 125

// Tensors implements Method.
func (v *Variational) Tensors() []checkpoint.Tensor {
	ts := append(v.encoder.tensors(), v.decoder.tensors()...)
	ts = append(ts, v.prior.tensors()...)
	return append(ts, checkpoint.Tensor{Name: "counts", Shape: []int{len(v.counts)}, U32: v.counts})
}

// Restored implements Method.
func (v *Variational) Restored() {
	v.gathered = false
	v.encoder.packed, v.decoder.packed, v.prior.packed = false, false, false
}

// Generator implements Method.
func (v *Variational) Generator(ema bool) *generate.Generator { return v.generator(nil, ema) }

func (v *Variational) generator(a *memory.Arena, ema bool) *generate.Generator {
	return v.setup.newGenerator(a, generate.Model{
		DecoderP: v.decoder.values(ema), PriorP: v.prior.values(ema),
		EncoderP: v.encoder.values(ema),
	})
}

// Latents implements Method: these are the encoder's means.
func (v *Variational) Latents(g *generate.Generator, z []float32, idx []int) {
	x := make([]float32, len(idx)*v.likelihood.Dim)
	v.setup.Train.Gather(x, idx)
	g.Encode(z, make([]float32, len(z)), x)
}

// diagnosed is how many datapoints the diagnostics look at: so many that a standard deviation is
// off by some 2 %.
const diagnosed = 1024

// Diagnose implements Method. The cloud is latents drawn for the first datapoints, with a stream of
// their own; there are no moves that could have a temperature or a step size.
func (v *Variational) Diagnose(done float64) Diagnostics {
	index, z := v.diagnosis(nil)
	for i := range index {
		index[i] = i
	}
	o := &v.setup.Options
	seen := particle.Cloud{M: len(index), N: o.Particles, D: o.Latent, Z: z}
	for len(index) > 0 {
		n := min(v.setup.Batch, len(index))
		v.draw(index[:n], true, prior.StreamDiagNoise)
		z = z[copy(z, v.rows(v.z, 0, len(v.ids))):]
		index = index[n:]
	}
	v.gathered = false // these are not the rows of a minibatch
	return Diagnostics{
		Cloud: seen.Stats(), LR: v.learningRate(done),
		ExtraTemperature: math.NaN(), StepSize: math.NaN(),
	}
}

// diagnosis is memory for the datapoints that Diagnose looks at, and for their latents.
func (v *Variational) diagnosis(a *memory.Arena) (index []int, z []float32) {
	n, o := min(diagnosed, v.setup.Train.Len()), &v.setup.Options
	return a.Ints(memory.Activations, n), a.Floats(memory.Activations, n, o.Particles, o.Latent)
}
