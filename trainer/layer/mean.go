package layer

import "github.com/plume-ml/plume/kernel"

// Mean is the mean over the pixels of a row, a vector of C numbers.
type Mean struct{}

// Out implements Layer.
func (Mean) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	return Vector(in[0].C), nil
}

// Params implements Layer.
func (Mean) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Mean) Memory(...Shape) Memory { return Memory{} }

// Bind implements Layer.
func (Mean) Bind(_ Values, in ...Shape) Pair {
	return mean{in[0], 1 / float32(in[0].Pixels())}
}

type mean struct {
	in    Shape
	share float32 // of a pixel
}

func (m mean) Forward(t *Tile) {
	for i := range t.N {
		kernel.ColSum(part(t.Y, i, m.in.C), part(t.X[0], i, m.in.Len()), m.in.C, m.share)
	}
}

func (m mean) Backward(t *Tile) {
	dx := t.DX[0]
	if dx == nil {
		return
	}
	if !t.Add[0] {
		clear(dx)
	}
	for i := range t.N {
		dy := part(t.DY, i, m.in.C)
		for row := part(dx, i, m.in.Len()); len(row) > 0; row = row[m.in.C:] {
			kernel.Axpy(row[:m.in.C], m.share, dy)
		}
	}
}
