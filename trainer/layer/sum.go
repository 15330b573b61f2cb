package layer

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
)

// Sum is y = x0 + x1, of the same shape.
type Sum struct{}

// Out implements Layer.
func (Sum) Out(in ...Shape) (Shape, error) { return alike(in) }

// alike returns the shape that two inputs share.
func alike(in []Shape) (Shape, error) {
	if err := inputs(in, 2); err != nil {
		return Shape{}, err
	}
	if in[0] != in[1] {
		return Shape{}, fmt.Errorf("got %v and %v, needs the same shape twice", in[0], in[1])
	}
	return in[0], nil
}

// Params implements Layer.
func (Sum) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Sum) Memory(...Shape) Memory { return Memory{InPlace: true, InPlaceBack: true} }

// Bind implements Layer.
func (Sum) Bind(Values, ...Shape) Pair { return sum{} }

type sum struct{}

func (sum) Forward(t *Tile) {
	move(t.Y, t.X[0], false)
	kernel.Add(t.Y, t.X[1])
}

func (sum) Backward(t *Tile) {
	for k := range 2 {
		move(t.DX[k], t.DY, t.Add[k])
	}
}

// move sets dst to src, or adds that. Nothing happens if dst is nil, or is src.
func move(dst, src []float32, add bool) {
	switch {
	case len(dst) == 0 || &dst[0] == &src[0]:
	case add:
		kernel.Add(dst, src)
	default:
		copy(dst, src)
	}
}

// SumSiLU is y = silu(x0 + x1), of the same shape. It keeps the derivative.
type SumSiLU struct{}

// Out implements Layer.
func (SumSiLU) Out(in ...Shape) (Shape, error) { return alike(in) }

// Params implements Layer.
func (SumSiLU) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (SumSiLU) Memory(in ...Shape) Memory { return Memory{Keep: in[0].Len()} }

// Bind implements Layer.
func (SumSiLU) Bind(Values, ...Shape) Pair { return sumSiLU{} }

type sumSiLU struct{}

func (sumSiLU) Forward(t *Tile) { kernel.SumSiLU(t.Y, t.Keep, t.X[0], t.X[1]) }

func (sumSiLU) Backward(t *Tile) {
	for k := range 2 {
		timesSlope(t.DX[k], t.Keep, t.DY, t.Add[k])
	}
}
