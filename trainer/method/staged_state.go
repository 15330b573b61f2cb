package method

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/prior"
)

// Diagnose implements Method. In the second stage nothing moves.
func (t *Staged) Diagnose(done float64) Diagnostics {
	first, second := t.progress(done)
	d := t.first.Diagnose(first)
	if t.second() {
		d.ExtraTemperature, d.StepSize, d.LR = 0, 0, t.learningRate(second)
	}
	return d
}

// Tensors implements Method.
func (t *Staged) Tensors() []checkpoint.Tensor {
	ts := append(t.first.Tensors(), t.prior.tensors()...)
	return append(ts,
		checkpoint.Tensor{Name: "stage/counts", Shape: []int{len(t.counts)}, U32: t.counts},
		checkpoint.Tensor{Name: "stage/frozen", Shape: []int{len(t.frozen)}, F64: t.frozen},
	)
}

// Restored implements Method.
func (t *Staged) Restored() {
	t.first.Restored()
	t.prior.packed = false
}

// Generator implements Method: decoder and encoder are the first stage's, the prior is the second's.
func (t *Staged) Generator(ema bool) *Generator {
	decoder, encoder := t.first.networks()
	g := newGenerator(t.setup.Decoder, t.setup.Prior, decoder.values(ema), t.prior.values(ema), t.setup.Pool)
	if encoder != nil {
		g.useEncoder(t.setup.Encoder, encoder.values(ema))
	}
	return g
}

// Reconstruct implements Method, as the first stage does.
func (t *Staged) Reconstruct(g *Generator, dst []float32, idx []int) {
	t.first.Reconstruct(g, dst, idx)
}

// stagedParts is the memory of a Staged whose first stage takes the given parts.
func stagedParts(first memory.Parts, prior prior.Prior, o config.Options, s Scale) memory.Parts {
	rows, params := s.Batch*o.Particles, prior.Layout().Size()
	moments, average := momentBytes(o, params)
	more := map[string]int64{
		"parameters":     memory.Array[float32](params),
		"packed weights": prior.PackedBytes(true),
		"gradients":      memory.Array[float32](params),
		"moments":        moments,
		"average":        average,
		"activations":    prior.TapeBytes(rows) + memory.Array[float32](rows, o.Latent+1),
	}
	var parts memory.Parts
	for _, p := range first {
		parts = append(parts, memory.Part{Name: p.Name, Bytes: p.Bytes + more[p.Name]})
	}
	return parts
}
