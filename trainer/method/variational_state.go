package method

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// newEncoder is the encoder that the options describe.
func newEncoder(o config.Options, dim int) model.Net {
	return model.NewEncoder(dim, o.Latent, o.EncoderWidths...)
}

// encoderBatch is small: many steps are worth more than large ones where no particles wait to be visited.
const encoderBatch = 125

// noNoise expects no noise on the parameters, which only the flow adds.
func noNoise(o config.Options, p *config.Problems) {
	p.Expect(o.ParamNoise == 0, "param_noise", o.ParamNoise, "0: the method adds no noise to its parameters")
}

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
func (v *Variational) Generator(ema bool) *Generator {
	g := newGenerator(v.setup.Decoder, v.setup.Prior, v.decoder.values(ema), v.prior.values(ema), v.setup.Pool)
	g.useEncoder(v.setup.Encoder, v.encoder.values(ema))
	return g
}

// Reconstruct implements Method: it decodes the encoder's mean.
func (v *Variational) Reconstruct(g *Generator, dst []float32, idx []int) {
	n, d := len(idx), v.setup.Options.Latent
	x := make([]float32, n*v.likelihood.Dim)
	mean, logvar := make([]float32, n*d), make([]float32, n*d)
	v.setup.Train.Gather(x, idx)
	g.Encode(mean, logvar, x)
	g.Decode(dst, mean)
}

// diagnosed is how many datapoints the diagnostics look at: so many that a standard deviation is off by some 2 %.
const diagnosed = 1024

// Diagnose implements Method. The cloud is latents drawn for the first datapoints, with a stream of
// their own; there are no moves that could have a temperature or a step size.
func (v *Variational) Diagnose(done float64) Diagnostics {
	n, o, batch := min(diagnosed, v.setup.Train.Len()), &v.setup.Options, v.setup.Batch
	seen := particle.Cloud{M: n, N: o.Particles, D: o.Latent}
	for lo := 0; lo < n; lo += batch {
		v.draw(consecutive(lo, min(lo+batch, n)), true, streamDiagNoise)
		seen.Z = append(seen.Z, v.rows(v.z, 0, len(v.ids))...)
	}
	v.gathered = false // these are not the rows of a minibatch
	return Diagnostics{Cloud: seen.Stats(), LR: v.learningRate(done)}
}

// consecutive is the integers from lo to hi, the latter exclusive.
func consecutive(lo, hi int) []int {
	idx := make([]int, hi-lo)
	for i := range idx {
		idx[i] = lo + i
	}
	return idx
}

// variationalFootprint is the memory of a Variational, its generators and diagnostics.
func variationalFootprint(decoder model.Net, prior prior.Prior, o config.Options, s Scale) Footprint {
	encoder := newEncoder(o, s.Dim)
	return Footprint{
		Held:      variationalBytes(encoder, decoder, prior, o, s),
		Generator: generatorBytes(decoder, prior, s) + generatorEncoderBytes(encoder, s),
		Diagnose:  variationalDiagnose(o, s),
	}
}

func variationalBytes(encoder, decoder model.Net, prior prior.Prior, o config.Options, s Scale) memory.Parts {
	rows := s.Batch * o.Particles
	params := encoder.Layout().Size() + decoder.Layout().Size() + prior.Layout().Size()
	moments, average := momentBytes(o, params)
	latents := memory.Array[float32](4*rows+s.Batch, o.Latent) + memory.Array[uint64](rows)
	losses := memory.Array[float32](2*rows + s.Batch)
	return memory.Parts{
		{Name: "parameters", Bytes: memory.Array[float32](params)},
		{Name: "packed weights", Bytes: encoder.PackedBytes(true) + decoder.PackedBytes(true) + prior.PackedBytes(true)},
		{Name: "gradients", Bytes: memory.Array[float32](params)},
		{Name: "moments", Bytes: moments},
		{Name: "average", Bytes: average},
		{Name: "particles", Bytes: latents},
		{Name: "activations", Bytes: encoder.TapeBytes(s.Batch) + decoder.TapeBytes(rows) + prior.TapeBytes(rows) +
			memory.Array[float32](s.Batch, s.Dim) + losses},
	}
}

// variationalDiagnose is the latents that Diagnose collects, in a slice that grows by less than doubling,
// and the numbers of their datapoints.
func variationalDiagnose(o config.Options, s Scale) int64 {
	n := min(diagnosed, s.Datapoints)
	return 2*memory.Array[float32](n, o.Particles, o.Latent) + memory.Array[int](n)
}

// generatorEncoderBytes is what an encoder adds to a generator.
func generatorEncoderBytes(encoder model.Net, s Scale) int64 {
	return encoder.TapeBytes(generatorTile*generatorTiles(s.Workers, s.Dim)) + encoder.PackedBytes(false)
}
