package layer

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// RMSNorm is root mean square normalisation (Zhang and Sennrich, arXiv:1910.07467) of each pixel's
// channels:
//
//	y = A[c] u + B[c],    u = r x,    r = 1 / sqrt(mean(x^2) + 1e-5).
//
// A is 1 + scale[c], which starts at zero, and B is 0. A second input (s, t), of 2 C numbers a row,
// modulates: y becomes (1 + s[c]) y + t[c]. With g = A dy, and means over the channels,
//
//	dx = r (g - u mean(g u)).
type RMSNorm struct{}

// Out implements Layer.
func (RMSNorm) Out(in ...Shape) (Shape, error) {
	if err := scalable(in); err != nil {
		return Shape{}, err
	}
	return in[0], nil
}

// Params implements Layer.
func (RMSNorm) Params(in ...Shape) []Param {
	return []Param{{Name: "scale", Shape: []int{in[0].C}}}
}

// Memory implements Layer. It keeps r.
func (RMSNorm) Memory(in ...Shape) Memory {
	return Memory{
		Keep: in[0].Pixels(), Scratch: vectorsLen*in[0].C + 2*in[0].Len() + in[0].Pixels(),
		ReadsX: true, InPlace: true, InPlaceBack: true,
	}
}

// Bind implements Layer.
func (RMSNorm) Bind(v Values, in ...Shape) Pair { return &rmsNorm{newScaling(v, in), in[0]} }

type rmsNorm struct {
	scaling
	shape Shape
}

func (n *rmsNorm) Forward(t *Tile) {
	v, _ := newVectors(t.Scratch, n.channels)
	for i := range t.N {
		x, y := part(t.X[0], i, n.shape.Len()), part(t.Y, i, n.shape.Len())
		r := part(t.Keep, i, n.shape.Pixels())
		kernel.SquareNorms(r, x, n.channels)
		for k, square := range r {
			r[k] = float32(1 / math.Sqrt(float64(square)/float64(n.channels)+epsilon))
		}
		copy(y, x)
		kernel.ScaleRows(y, r, n.channels)
		n.set(&v, t, i)
		kernel.Affine(y, y, v.a, v.b)
	}
}

func (n *rmsNorm) Backward(t *Tile) {
	c, width := n.channels, n.shape.Len()
	v, more := newVectors(t.Scratch, c)
	u, scaled, dots := more[:width], more[width:2*width], more[2*width:]
	for i := range t.N {
		dy, r := part(t.DY, i, width), part(t.Keep, i, n.shape.Pixels())
		copy(u, part(t.X[0], i, width))
		kernel.ScaleRows(u, r, c)
		kernel.ColSum(v.g, dy, c, 1)
		kernel.ColDot(v.h, dy, u)
		n.set(&v, t, i)
		n.gradients(&v, t, i)
		if t.DX[0] == nil {
			continue
		}
		kernel.Affine(scaled, dy, v.a, v.zeros)
		kernel.DotRows(dots, scaled, u, c)
		for k, dot := range dots {
			dots[k] = -r[k] * (dot / float32(c))
		}
		dx := part(t.DX[0], i, width)
		if t.Add[0] {
			kernel.CombineRows(dx, scaled, r, u, dots, dx, 1, c)
		} else {
			kernel.CombineRows(dx, scaled, r, u, dots, u, 0, c)
		}
	}
}
