package layer

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Positions is y = x + p with a vector p for each pixel, of H x W x C in all: what tells pixels
// apart to layers that treat all alike, such as [Attention].
type Positions struct{}

// positionBound is that of p at the start: well below inputs of size one.
const positionBound = 0.05

// Out implements Layer.
func (Positions) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	return in[0], nil
}

// Params implements Layer.
func (Positions) Params(in ...Shape) []Param {
	s := in[0]
	return []Param{{Name: "bias", Shape: []int{s.H, s.W, s.C}, Bound: positionBound}}
}

// Memory implements Layer.
func (Positions) Memory(...Shape) Memory { return Memory{InPlace: true, KeepsDY: true} }

// Bind implements Layer.
func (Positions) Bind(v Values, in ...Shape) Pair {
	return &positions{values: v, size: in[0].Len(), bias: v.Param(0)}
}

type positions struct {
	values Values
	size   int
	bias   Range
}

// PackTasks implements Weighted.
func (*positions) PackTasks() []Task { return nil }

func (p *positions) Forward(t *Tile) {
	move(t.Y, t.X[0], false)
	for i := 0; i < len(t.Y); i += p.size {
		kernel.Add(t.Y[i:i+p.size], p.bias.Of(p.values.P))
	}
}

func (p *positions) Backward(t *Tile) { move(t.DX[0], t.DY, t.Add[0]) }

// GradTasks implements Weighted. The gradient is the sum of dy over the rows.
func (p *positions) GradTasks(w *Wave) []GradTask {
	return []GradTask{{
		Task: Task{float64(p.values.Rows * p.size), func() {
			w.columns(p.bias.Of(w.Grad), p.values.DY, p.size, 1)
		}},
		Writes: []memory.Block{p.bias.Block()},
	}}
}
