package model

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
)

// MLP is a multilayer perceptron with SiLU between its layers and a linear output: the decoder
// g_phi.
type MLP struct {
	layers []linear
	layout Layout
}

// NewMLP describes an MLP with the given widths: input, hidden ..., output.
func NewMLP(widths ...int) *MLP {
	if len(widths) < 2 {
		panic("model: an MLP needs an input and an output width")
	}
	m := &MLP{}
	for i := range widths[1:] {
		m.layers = append(m.layers, newLinear(&m.layout, fmt.Sprintf("layer%d", i), widths[i], widths[i+1], false))
	}
	return m
}

// In is the width of the input.
func (m *MLP) In() int { return m.layers[0].in }

// Out is the width of the output.
func (m *MLP) Out() int { return m.layers[len(m.layers)-1].out }

// Layout is where the parameters lie.
func (m *MLP) Layout() *Layout { return &m.layout }

// mlpTape keeps, for hidden layer i, the values after the SiLU (act) and, in place of those before
// (pre), its derivative; in the backward pass pre[i] becomes the gradient by them.
type mlpTape struct {
	*MLP
	packing
	in, out  []float32
	pre, act [][]float32
	back     []float32 // gradient by an activation; rows as wide as the widest hidden layer
	widest   int
	tasks    []gradTask
}

// NewTape implements Net.
func (m *MLP) NewTape(p []float32, rows int) Tape {
	t := &mlpTape{MLP: m, in: kernel.Floats(rows * m.In()), out: kernel.Floats(rows * m.Out())}
	x := t.in
	for i, l := range m.layers {
		t.forward = append(t.forward, &layer{linear: l, p: p})
		dy := t.out
		if i < len(m.layers)-1 {
			dy = kernel.Floats(rows * l.out)
			t.pre = append(t.pre, dy)
			t.act = append(t.act, kernel.Floats(rows*l.out))
			t.widest = max(t.widest, l.out)
		}
		t.tasks = l.gradTasks(t.tasks, x, dy)
		if i < len(t.act) {
			x = t.act[i]
		}
	}
	t.backward = t.forward
	t.back = kernel.Floats(rows * t.widest)
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
	back := cut(t.back, t.widest, lo, hi) // of these rows alone, whatever layer other rows are at
	for i := len(t.backward) - 1; i > 0; i-- {
		l := t.backward[i]
		dact, pre := back[:(hi-lo)*l.in], cut(t.pre[i-1], l.in, lo, hi)
		l.mulT(dact, dy, hi-lo)
		kernel.SiLUBackward(pre, pre, dact)
		dy = pre
	}
	if din != nil {
		t.backward[0].mulT(din, dy, hi-lo)
	}
}

func (t *mlpTape) GradTasks() int { return len(t.tasks) }

func (t *mlpTape) Grad(task int, grad []float32, rows int, scale float32) {
	t.tasks[task].run(grad, rows, scale)
}
