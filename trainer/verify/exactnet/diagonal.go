package exactnet

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Diagonal is the decoder g(z)_j = offset_j + scale_j z_j. Its coordinates are independent, so
// that a model of width w serves as w replicates of a one-dimensional model. Offset and scale are
// learned if asked for, and otherwise 0 and 1.
type Diagonal struct {
	Width         int
	Offset, Scale bool
}

func (n Diagonal) In() int  { return n.Width }
func (n Diagonal) Out() int { return n.Width }

// Names of the decoder's parameters.
const (
	offsetParam = "offset"
	scaleParam  = "scale"
)

func (n Diagonal) Layout() *model.Layout {
	l := &model.Layout{}
	if n.Offset {
		l.AddParam(offsetParam, n.Width)
	}
	if n.Scale {
		l.AddParam(scaleParam, n.Width)
	}
	return l
}

func (n Diagonal) NewTape(a *memory.Arena, p []float32, rows int, _ model.Use) model.Tape {
	l := n.Layout()
	t := &diagonalTape{
		Diagonal: n, layout: l,
		in: a.Floats(memory.Activations, rows, n.Width), out: a.Floats(memory.Activations, rows, n.Width),
	}
	if n.Offset {
		t.offsets = l.View(p, offsetParam)
	}
	if n.Scale {
		t.scales = l.View(p, scaleParam)
	}
	return t
}

type diagonalTape struct {
	Diagonal
	layout          *model.Layout
	offsets, scales []float32 // nil if fixed
	in, out         []float32
}

func (*diagonalTape) PackTasks() int { return 0 }
func (*diagonalTape) Pack(int)       {}

func (t *diagonalTape) In(lo, hi int) []float32  { return t.in[lo*t.Width : hi*t.Width] }
func (t *diagonalTape) Out(lo, hi int) []float32 { return t.out[lo*t.Width : hi*t.Width] }

func (t *diagonalTape) Forward(lo, hi int) {
	out := t.Out(lo, hi)
	copy(out, t.In(lo, hi))
	t.stretch(out)
	if t.Offset {
		kernel.AddBias(out, t.offsets)
	}
}

// stretch multiplies rows by the scales.
func (t *diagonalTape) stretch(rows []float32) {
	if !t.Scale {
		return
	}
	for lo := 0; lo < len(rows); lo += t.Width {
		for j, s := range t.scales {
			rows[lo+j] *= s
		}
	}
}

func (t *diagonalTape) Backward(lo, hi int, din []float32) {
	copy(din, t.Out(lo, hi))
	t.stretch(din)
}

func (t *diagonalTape) GradTasks() int {
	if t.Offset || t.Scale {
		return 1
	}
	return 0
}

func (t *diagonalTape) Grad(_ int, grad []float32, rows int, scale float32) {
	n := rows * t.Width
	if t.Offset {
		kernel.ColSum(t.layout.View(grad, offsetParam), t.out[:n], t.Width, scale)
	}
	if !t.Scale {
		return
	}
	g := t.layout.View(grad, scaleParam)
	clear(g)
	for lo := 0; lo < n; lo += t.Width {
		for j := range g {
			g[j] += scale * t.out[lo+j] * t.in[lo+j]
		}
	}
}
