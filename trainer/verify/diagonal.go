package verify

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// diagonal is the decoder g(z)_j = offset_j + scale_j z_j. Coordinates do not feel each other, so a
// model of width w is w replicates of a model of one dimension. Offset and scale are learned where
// asked for; else they are 0 and 1.
type diagonal struct {
	width         int
	offset, scale bool
}

func (n diagonal) In() int  { return n.width }
func (n diagonal) Out() int { return n.width }

// Names of the decoder's parameters.
const (
	offsetParam = "offset"
	scaleParam  = "scale"
)

func (n diagonal) Layout() *model.Layout {
	l := &model.Layout{}
	if n.offset {
		l.AddParam(offsetParam, n.width)
	}
	if n.scale {
		l.AddParam(scaleParam, n.width)
	}
	return l
}

func (n diagonal) NewTape(p []float32, rows int) model.Tape {
	l := n.Layout()
	t := &diagonalTape{diagonal: n, layout: l, in: kernel.Floats(rows * n.width), out: kernel.Floats(rows * n.width)}
	if n.offset {
		t.offsets = l.View(p, offsetParam)
	}
	if n.scale {
		t.scales = l.View(p, scaleParam)
	}
	return t
}

func (n diagonal) TapeBytes(rows int) int64 { return memory.Array[float32](2, rows, n.width) }
func (diagonal) PackedBytes(bool) int64     { return 0 }

type diagonalTape struct {
	diagonal
	layout          *model.Layout
	offsets, scales []float32 // nil if fixed
	in, out         []float32
}

func (*diagonalTape) PackTasks(bool) int { return 0 }
func (*diagonalTape) Pack(int)           {}

func (t *diagonalTape) In(lo, hi int) []float32  { return t.in[lo*t.width : hi*t.width] }
func (t *diagonalTape) Out(lo, hi int) []float32 { return t.out[lo*t.width : hi*t.width] }

func (t *diagonalTape) Forward(lo, hi int) {
	out := t.Out(lo, hi)
	copy(out, t.In(lo, hi))
	t.stretch(out)
	if t.offset {
		kernel.AddBias(out, t.offsets)
	}
}

// stretch multiplies rows by the scales.
func (t *diagonalTape) stretch(rows []float32) {
	if !t.scale {
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
	if t.offset || t.scale {
		return 1
	}
	return 0
}

func (t *diagonalTape) Grad(_ int, grad []float32, rows int, scale float32) {
	n := rows * t.width
	if t.offset {
		kernel.ColSum(t.layout.View(grad, offsetParam), t.out[:n], t.width, scale)
	}
	if !t.scale {
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
