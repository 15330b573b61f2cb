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

// In implements model.Net.
func (n Diagonal) In() int { return n.Width }

// Out implements model.Net.
func (n Diagonal) Out() int { return n.Width }

// Names of the decoder's parameters.
const (
	offsetParam = "offset"
	scaleParam  = "scale"
)

// Layout implements model.Net.
func (n Diagonal) Layout() *model.Layout {
	l := &model.Layout{}
	if n.Offset {
		l.Add(offsetParam, 0, n.Width)
	}
	if n.Scale {
		l.Add(scaleParam, 0, n.Width)
	}
	return l
}

// NewTape implements model.Net.
func (n Diagonal) NewTape(a *memory.Arena, p []float32, rows int, _ model.Use) model.Tape {
	t := &diagonalTape{buffers: newBuffers(a, rows, n.Width), layout: n.Layout()}
	if n.Offset {
		t.offsets = t.layout.View(p, offsetParam)
	}
	if n.Scale {
		t.scales = t.layout.View(p, scaleParam)
	}
	return t
}

type diagonalTape struct {
	buffers
	layout          *model.Layout
	offsets, scales []float32 // nil if fixed
}

func (*diagonalTape) PackTasks() int { return 0 }
func (*diagonalTape) CutFree() bool  { return true }
func (*diagonalTape) Pack(int)       {}

func (t *diagonalTape) Forward(lo, hi int) {
	out := t.Out(lo, hi)
	copy(out, t.In(lo, hi))
	t.stretch(out)
	if t.offsets != nil {
		kernel.AddBias(out, t.offsets)
	}
}

// stretch multiplies rows by the scales.
func (t *diagonalTape) stretch(rows []float32) {
	if t.scales == nil {
		return
	}
	for lo := 0; lo < len(rows); lo += t.width {
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
	if t.offsets != nil || t.scales != nil {
		return 1
	}
	return 0
}

func (t *diagonalTape) Grad(_ int, grad []float32, rows int, scale float32) {
	n := rows * t.width
	if t.offsets != nil {
		kernel.ColSum(t.layout.View(grad, offsetParam), t.out[:n], t.width, scale)
	}
	if t.scales == nil {
		return
	}
	g := t.layout.View(grad, scaleParam)
	clear(g)
	for lo := 0; lo < n; lo += t.width {
		for j := range g {
			g[j] += scale * t.out[lo+j] * t.in[lo+j]
		}
	}
}
