package layer

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
)

// GroupNorm is group normalisation (Wu and He, arXiv:1803.08494) of x, and what follows it:
//
//	y = A[c] u + B[c],    u = (x - mean) / sqrt(variance + 1e-5),
//
// mean and variance over the pixels and channels of a group in a row. A is 1 + scale[c] and B is
// shift[c]; both start at zero. A second input (s, t), of 2 C numbers a row, modulates: y becomes
// (1 + s[c]) y + t[c]. With SiLU, y becomes silu(y) in the end.
//
// Before SiLU this is a map a[c] x + b[c] of each channel of a row. With g the gradient by its
// output, and means over a group,
//
//	dx = a g - mean(a g) - u mean(a g u).
type GroupNorm struct {
	Groups int // of equally many channels
	SiLU   bool
}

// epsilon keeps norms of zeros finite.
const epsilon = 1e-5

// Out implements Layer.
func (l GroupNorm) Out(in ...Shape) (Shape, error) {
	if err := scalable(in); err != nil {
		return Shape{}, err
	}
	if l.Groups < 1 || in[0].C%l.Groups != 0 {
		return Shape{}, fmt.Errorf("got %d channels in %d groups, needs groups of equal size",
			in[0].C, l.Groups)
	}
	return in[0], nil
}

// Params implements Layer.
func (GroupNorm) Params(in ...Shape) []Param {
	c := []int{in[0].C}
	return []Param{{Name: "scale", Shape: c}, {Name: "shift", Shape: c}}
}

// Memory implements Layer. It keeps mean and deviation of each group, and SiLU's derivatives.
func (l GroupNorm) Memory(in ...Shape) Memory {
	keep := 2 * l.Groups
	if l.SiLU {
		keep += in[0].Len()
	}
	return Memory{
		Keep: keep, Scratch: vectorsLen*in[0].C + 2*l.Groups,
		ReadsX: true, InPlace: true, InPlaceBack: true,
	}
}

// Bind implements Layer.
func (l GroupNorm) Bind(v Values, in ...Shape) Pair {
	size := in[0].C / l.Groups
	return &groupNorm{
		scaling: newScaling(v, in), GroupNorm: l, width: in[0].Len(), size: size,
		count: float32(size * in[0].Pixels()), keep: l.Memory(in...).Keep,
	}
}

type groupNorm struct {
	scaling
	GroupNorm
	width, keep int     // numbers of a row
	size        int     // channels of a group
	count       float32 // numbers of a group
}

// statistics are those of the groups of a row.
type statistics struct{ minus, inverse []float32 } // -mean, 1/sqrt(variance + 1e-5)

// kept returns what the layer keeps of row i.
func (n *groupNorm) kept(t *Tile, i int) (s statistics, slope []float32) {
	keep := part(t.Keep, i, n.keep)
	s.minus, s.inverse = halves(keep[:2*n.Groups])
	return s, keep[2*n.Groups:]
}

func (n *groupNorm) Forward(t *Tile) {
	v, _ := newVectors(t.Scratch, n.channels)
	for i := range t.N {
		x, y := part(t.X[0], i, n.width), part(t.Y, i, n.width)
		stats, slope := n.kept(t, i)
		n.measure(stats, x, &v)
		n.set(&v, t, i)
		kernel.ScaleRows(v.a, stats.inverse, n.size) // a, and b = B - mean a
		n.addScaled(v.b, stats.minus, v.a, &v)
		if n.SiLU {
			kernel.AffineSiLU(y, slope, x, v.a, v.b)
		} else {
			kernel.Affine(y, x, v.a, v.b)
		}
	}
}

// measure computes the statistics of a row. Squares are those of deviations from the mean, so that
// nothing cancels.
func (n *groupNorm) measure(s statistics, x []float32, v *vectors) {
	kernel.ColSum(v.a, x, n.channels, 1)
	kernel.DotRows(s.minus, v.a, v.ones, n.size)
	for k, sum := range s.minus {
		mean := sum / n.count
		fill(part(v.b, k, n.size), mean)
		s.minus[k] = -mean
	}
	kernel.ColSquares(v.a, x, v.b)
	kernel.DotRows(s.inverse, v.a, v.ones, n.size)
	for k, sum := range s.inverse {
		s.inverse[k] = float32(1 / math.Sqrt(float64(sum/n.count)+epsilon))
	}
}

// addScaled adds s[k] x to y in each group k.
func (n *groupNorm) addScaled(y, s, x []float32, v *vectors) {
	kernel.CombineRows(y, x, s, y, v.ones[:n.Groups], v.zeros, 0, n.size)
}

func (n *groupNorm) Backward(t *Tile) {
	v, more := newVectors(t.Scratch, n.channels)
	grad := kernel.AffineGrad
	if t.Add[0] {
		grad = kernel.AffineGradAdd
	}
	for i := range t.N {
		x, dy := part(t.X[0], i, n.width), part(t.DY, i, n.width)
		stats, slope := n.kept(t, i)
		if n.SiLU {
			kernel.SiLUBackward(slope, slope, dy)
			dy = slope
		}
		kernel.ColSum(v.g, dy, n.channels, 1)
		kernel.ColDot(v.h, dy, x)
		n.addScaled(v.h, stats.minus, v.g, &v) // sums of dy (x - mean)
		kernel.ScaleRows(v.h, stats.inverse, n.size)
		n.set(&v, t, i)
		n.gradients(&v, t, i)
		if t.DX[0] != nil {
			kernel.ScaleRows(v.a, stats.inverse, n.size)
			n.coefficients(&v, stats, more)
			grad(part(t.DX[0], i, n.width), dy, x, v.a, v.g, v.h)
		}
	}
}

// coefficients replaces the sums G and H by b and c of dx = a dy + b x + c. It needs two numbers of
// scratch memory for each group.
func (n *groupNorm) coefficients(v *vectors, s statistics, scratch []float32) {
	sums, dots := halves(scratch)
	kernel.DotRows(sums, v.a, v.g, n.size)
	kernel.DotRows(dots, v.a, v.h, n.size)
	for k := range n.Groups {
		slope := -dots[k] / n.count * s.inverse[k]
		fill(part(v.g, k, n.size), slope)
		// the product is rounded, so that all processors agree
		fill(part(v.h, k, n.size), float32(slope*s.minus[k])-sums[k]/n.count)
	}
}
