package layer

import "github.com/plume-ml/plume/kernel"

// SiLU is y = x/(1 + exp(-x)), elementwise. The derivative takes the place of x.
type SiLU struct{}

// Out implements Layer.
func (SiLU) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	return in[0], nil
}

// Params implements Layer.
func (SiLU) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (SiLU) Memory(...Shape) Memory { return Memory{ReadsX: true, InPlaceBack: true, Spoils: true} }

// Bind implements Layer.
func (SiLU) Bind(Values, ...Shape) Pair { return silu{} }

type silu struct{}

func (silu) Forward(t *Tile) { kernel.SiLU(t.Y, t.X[0]) }

func (silu) Backward(t *Tile) { timesSlope(t.DX[0], t.X[0], t.DY, t.Add[0]) }

// timesSlope sets dx to slope*dy, or adds that; nothing if dx is nil.
func timesSlope(dx, slope, dy []float32, add bool) {
	switch {
	case dx == nil:
	case add:
		kernel.SiLUBackwardAdd(dx, slope, dy)
	default:
		kernel.SiLUBackward(dx, slope, dy)
	}
}
