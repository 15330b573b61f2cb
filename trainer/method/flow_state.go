package method

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
)

// Tensors implements Method.
func (f *flow) Tensors() []checkpoint.Tensor {
	c := f.cloud
	shape := []int{c.M, c.N, c.D}
	ts := append(f.decoder.tensors(), f.prior.tensors()...)
	ts = append(ts, checkpoint.Tensor{Name: "cloud/z", Shape: shape, F32: c.Z})
	if c.U != nil {
		ts = append(ts, checkpoint.Tensor{Name: "cloud/u", Shape: shape, F32: c.U})
	}
	ts = append(ts, f.conditions.tensors()...)
	return append(ts,
		checkpoint.Tensor{Name: "cloud/visited", Shape: []int{c.M}, U32: c.Visited},
		checkpoint.Tensor{Name: "cloud/mean_square", Shape: []int{1}, F64: f.meanSquare},
		checkpoint.Tensor{Name: "counts", Shape: []int{len(f.counts)}, U32: f.counts},
	)
}

// Restored implements Method.
func (f *flow) Restored() { f.gathered, f.decoder.packed, f.prior.packed = false, false, false }

// Generator implements Method.
func (f *flow) Generator(ema bool) *generate.Generator { return f.generator(nil, ema) }

func (f *flow) generator(a *memory.Arena, ema bool) *generate.Generator {
	return f.setup.newGenerator(a, generate.Model{
		DecoderP: f.decoder.values(ema), PriorP: f.prior.values(ema), Classes: f.conditions.counts,
	})
}

// Latents implements Method, with the first particle of each datapoint.
func (f *flow) Latents(_ *generate.Generator, z []float32, idx []int) {
	d := f.cloud.D
	for i, m := range idx {
		f.cloud.Row(z[i*d:(i+1)*d], m, 0)
	}
}
