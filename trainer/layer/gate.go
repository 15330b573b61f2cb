package layer

import "github.com/plume-ml/plume/kernel"

// Gate is y = g[c] x. The second input is C numbers a row, g, for all of its pixels.
type Gate struct{}

// Out implements Layer.
func (Gate) Out(in ...Shape) (Shape, error) {
	if err := perChannel(in, 1); err != nil {
		return Shape{}, err
	}
	return in[0], nil
}

// Params implements Layer.
func (Gate) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Gate) Memory(in ...Shape) Memory {
	return Memory{Scratch: in[0].C, ReadsX: true, InPlace: true, InPlaceBack: true}
}

// Bind implements Layer.
func (Gate) Bind(_ Values, in ...Shape) Pair { return gate{in[0]} }

type gate struct{ shape Shape }

func (g gate) Forward(t *Tile) {
	clear(t.Scratch)
	for i := range t.N {
		x, y := part(t.X[0], i, g.shape.Len()), part(t.Y, i, g.shape.Len())
		kernel.Affine(y, x, part(t.X[1], i, g.shape.C), t.Scratch)
	}
}

func (g gate) Backward(t *Tile) {
	for i := range t.N {
		x, dy := part(t.X[0], i, g.shape.Len()), part(t.DY, i, g.shape.Len())
		if t.DX[1] != nil {
			kernel.ColDot(t.Scratch, dy, x)
			move(part(t.DX[1], i, g.shape.C), t.Scratch, t.Add[1])
		}
		if t.DX[0] != nil {
			clear(t.Scratch)
			multiply(part(t.DX[0], i, g.shape.Len()), dy, part(t.X[1], i, g.shape.C), t.Scratch,
				t.Add[0])
		}
	}
}

// multiply sets each row of dx to that of dy times a, elementwise, or adds that; zeros are as many.
func multiply(dx, dy, a, zeros []float32, add bool) {
	if add {
		kernel.AffineGradAdd(dx, dy, dy, a, zeros, zeros)
	} else {
		kernel.Affine(dx, dy, a, zeros)
	}
}
