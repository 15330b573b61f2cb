package model

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// MLP is a multilayer perceptron with SiLU between its layers and a linear output: the decoder
// g_phi.
type MLP struct {
	layers []linear
	layout Layout
}

// NewMLP describes an MLP with the given widths: input, hidden ..., output. Its products are
// computed by the given backend; nil: by the present default of package blas.
func NewMLP(products *blas.Backend, widths ...int) *MLP {
	if len(widths) < 2 {
		panic("model: an MLP needs an input and an output width")
	}
	m := &MLP{}
	for i := range widths[1:] {
		name := fmt.Sprintf("layer%d", i)
		m.layers = append(m.layers,
			newLinear(products, &m.layout, name, widths[i], widths[i+1], false))
	}
	return m
}

// In is the width of the input.
func (m *MLP) In() int { return m.layers[0].in }

// Out is the width of the output.
func (m *MLP) Out() int { return m.layers[len(m.layers)-1].out }

// Layout is the layout of the parameters.
func (m *MLP) Layout() *Layout { return &m.layout }

// mlpTape keeps, for hidden layer i, the values after the SiLU (act[i]). pre[i] holds first the
// values before the SiLU, then its derivative there, and after the backward pass the gradient by
// those values.
type mlpTape struct {
	*MLP
	packing
	weightGrads
	in, out  []float32
	pre, act [][]float32
	back     []float32 // gradient by an activation; rows as wide as the widest hidden layer
	widest   int
}

// NewTape implements Net.
func (m *MLP) NewTape(a *memory.Arena, p []float32, rows int, use Use) Tape {
	floats := func(width int) []float32 { return a.Floats(memory.Activations, rows, width) }
	t := &mlpTape{MLP: m, in: floats(m.In()), out: floats(m.Out())}
	x := t.in
	for i, l := range m.layers {
		t.bind(a, l, p, bool(use))
		dy, act := t.out, []float32(nil)
		if i < len(m.layers)-1 {
			dy, act = floats(l.out), floats(l.out)
			t.pre, t.act = append(t.pre, dy), append(t.act, act)
			t.widest = max(t.widest, l.out)
		}
		t.weightGrads = append(t.weightGrads, weightGrad{l, x, dy})
		x = act
	}
	t.back = floats(t.widest)
	return t
}

func (t *mlpTape) In(lo, hi int) []float32  { return cut(t.in, t.MLP.In(), lo, hi) }
func (t *mlpTape) Out(lo, hi int) []float32 { return cut(t.out, t.MLP.Out(), lo, hi) }

func (t *mlpTape) Forward(lo, hi int) {
	x := t.In(lo, hi)
	last := len(t.forward) - 1
	for i, l := range t.forward[:last] {
		pre, act := cut(t.pre[i], l.out, lo, hi), cut(t.act[i], l.out, lo, hi)
		l.mul(pre, x, hi-lo)
		kernel.BiasSiLU(act, pre, l.bias())
		x = act
	}
	t.forward[last].mulBias(t.Out(lo, hi), x, hi-lo)
}

func (t *mlpTape) Backward(lo, hi int, din []float32) {
	dy := t.Out(lo, hi)
	back := cut(t.back, t.widest, lo, hi) // scratch of these rows only: others may run meanwhile
	for i := len(t.forward) - 1; i > 0; i-- {
		l := t.forward[i]
		dact, pre := back[:(hi-lo)*l.in], cut(t.pre[i-1], l.in, lo, hi)
		l.mulT(dact, dy, hi-lo)
		kernel.SiLUBackward(pre, pre, dact)
		dy = pre
	}
	if din != nil {
		t.forward[0].mulT(din, dy, hi-lo)
	}
}
