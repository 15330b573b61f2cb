package method

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
)

// Tensors implements Method.
func (f *flow) Tensors() []checkpoint.Tensor {
	c := f.cloud
	ts := append(f.decoder.tensors(), f.prior.tensors()...)
	ts = append(ts, f.ofPoints(checkpoint.Tensor{Name: "cloud/z", F32: c.Z}, c.N, c.D))
	if c.U != nil {
		ts = append(ts, f.ofPoints(checkpoint.Tensor{Name: "cloud/u", F32: c.U}, c.N, c.D))
	}
	ts = append(ts, f.conditions.tensors()...)
	return append(ts,
		f.ofPoints(checkpoint.Tensor{Name: "cloud/visited", U32: c.Visited}),
		checkpoint.Tensor{Name: "cloud/mean_square", Shape: []int{1}, F64: f.meanSquare},
		checkpoint.Tensor{Name: "counts", Shape: []int{len(f.counts)}, U32: f.counts},
	)
}

// ofPoints completes a tensor that has an array of the given shape for each of the rank's
// datapoints.
func (f *flow) ofPoints(t checkpoint.Tensor, shape ...int) checkpoint.Tensor {
	t.Shape = append([]int{f.cloud.M}, shape...)
	if f.lanes.several() {
		t.First, t.Of = f.cloud.First, f.lanes.datapoints
	}
	return t
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
	d, first := f.cloud.D, f.cloud.First
	clear(z)
	for i, m := range idx {
		if first <= m && m < first+f.cloud.M {
			f.cloud.Row(z[i*d:(i+1)*d], m, 0)
		}
	}
	f.lanes.exchange(func() error { return f.lanes.comm.SumTree(z) })
}
