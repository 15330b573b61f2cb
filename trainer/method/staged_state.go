package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
)

// Diagnose implements Method. In the second stage nothing moves.
func (t *staged) Diagnose(done float64) Diagnostics {
	first, second := t.progress(done)
	d := t.first.Diagnose(first)
	if t.second() {
		d.ExtraTemperature, d.StepSize, d.LR = math.NaN(), math.NaN(), t.learningRate(second)
	}
	return d
}

// Tensors implements Method.
func (t *staged) Tensors() []checkpoint.Tensor {
	ts := append(t.first.Tensors(), t.prior.tensors()...)
	return append(ts,
		checkpoint.Tensor{Name: "stage/counts", Shape: []int{len(t.counts)}, U32: t.counts},
		checkpoint.Tensor{Name: "stage/frozen", Shape: []int{len(t.frozen)}, F64: t.frozen},
	)
}

// Restored implements Method.
func (t *staged) Restored() {
	t.first.Restored()
	t.prior.packed = false
}

// Generator implements Method, with the first stage's decoder and encoder and the second's prior.
func (t *staged) Generator(ema bool) *generate.Generator { return t.generator(nil, ema) }

func (t *staged) generator(a *memory.Arena, ema bool) *generate.Generator {
	decoder, encoder := t.first.networks()
	m := generate.Model{
		DecoderP: decoder.values(ema), PriorP: t.prior.values(ema), Classes: t.conditions.counts,
	}
	if encoder != nil {
		m.EncoderP = encoder.values(ema)
	}
	return t.setup.newGenerator(a, m)
}

func (t *staged) diagnosis(a *memory.Arena) ([]int, []float32) { return t.first.diagnosis(a) }

// Latents implements Method, with the latents of the first stage.
func (t *staged) Latents(g *generate.Generator, z []float32, idx []int) {
	t.first.Latents(g, z, idx)
}
