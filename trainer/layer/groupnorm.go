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
// Before SiLU this is one map a x + b of each channel of a row, a = A/sqrt(variance + 1e-5). With
// g the gradient by its output, and means over a group,
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
		return Shape{}, fmt.Errorf("got %d channels for %d groups, needs a multiple of groups",
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
		Keep: keep, Scratch: 3 * in[0].C, ReadsX: true, InPlace: true, InPlaceBack: true,
	}
}

// Bind implements Layer.
func (l GroupNorm) Bind(v Values, in ...Shape) Pair {
	return &groupNorm{newScaling(v, in), l, in[0].Pixels(), l.Memory(in...).Keep}
}

type groupNorm struct {
	scaling
	GroupNorm
	pixels, keep int
}

// kept returns what the layer keeps of row i: mean and 1/sqrt(variance + 1e-5) of each group, one
// after the other, and the derivatives.
func (n *groupNorm) kept(t *Tile, i int) (stats, slope []float32) {
	keep := part(t.Keep, i, n.keep)
	return keep[:2*n.Groups], keep[2*n.Groups:]
}

func (n *groupNorm) Forward(t *Tile) {
	c := n.channels
	a, b := t.Scratch[:c], t.Scratch[c:2*c]
	for i := range t.N {
		x, y := part(t.X[0], i, n.pixels*c), part(t.Y, i, n.pixels*c)
		stats, slope := n.kept(t, i)
		n.measure(stats, x, a, b)
		n.set(a, b, t, i)
		n.absorb(a, b, stats)
		if n.SiLU {
			kernel.AffineSiLU(y, slope, x, a, b)
		} else {
			kernel.Affine(y, x, a, b)
		}
	}
}

// measure computes the statistics of the groups of a row, with scratch for a number a channel
// twice. Squares are those of deviations from the mean, so that nothing cancels.
func (n *groupNorm) measure(stats, x, sums, means []float32) {
	size := n.channels / n.Groups
	count := float64(size * n.pixels)
	kernel.ColSum(sums, x, n.channels, 1)
	for k := range n.Groups {
		mean := float32(total(part(sums, k, size)) / count)
		stats[2*k] = mean
		for j := range size {
			means[k*size+j] = mean
		}
	}
	kernel.ColSquares(sums, x, means)
	for k := range n.Groups {
		stats[2*k+1] = float32(1 / math.Sqrt(total(part(sums, k, size))/count+epsilon))
	}
}

// total is the sum of a few numbers.
func total(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v)
	}
	return sum
}

// absorb makes A u + B a map of x.
func (n *groupNorm) absorb(a, b, stats []float32) {
	size := n.channels / n.Groups
	for k := range n.Groups {
		mean, inverse := stats[2*k], stats[2*k+1]
		for j := k * size; j < (k+1)*size; j++ {
			a[j] *= inverse
			b[j] -= float32(mean * a[j])
		}
	}
}

func (n *groupNorm) Backward(t *Tile) {
	c := n.channels
	a, g, h := t.Scratch[:c], t.Scratch[c:2*c], t.Scratch[2*c:3*c]
	for i := range t.N {
		x, dy := part(t.X[0], i, n.pixels*c), part(t.DY, i, n.pixels*c)
		stats, slope := n.kept(t, i)
		if n.SiLU {
			kernel.SiLUBackward(slope, slope, dy)
			dy = slope
		}
		n.set(a, g, t, i)
		n.absorb(a, g, stats)
		kernel.ColSum(g, dy, c, 1)
		kernel.ColDot(h, dy, x)
		n.standardise(h, g, stats)
		n.gradients(g, h, t, i)
		if t.DX[0] == nil {
			continue
		}
		n.coefficients(a, g, h, stats)
		grad := kernel.AffineGrad
		if t.Add[0] {
			grad = kernel.AffineGradAdd
		}
		grad(part(t.DX[0], i, n.pixels*c), dy, x, a, g, h)
	}
}

// standardise takes the sums h of dy x to those of dy u; g are those of dy.
func (n *groupNorm) standardise(h, g, stats []float32) {
	size := n.channels / n.Groups
	for k := range n.Groups {
		mean, inverse := stats[2*k], stats[2*k+1]
		for j := k * size; j < (k+1)*size; j++ {
			h[j] = (h[j] - float32(mean*g[j])) * inverse
		}
	}
}

// coefficients replaces the sums g and h by b and c of dx = a dy + b x + c.
func (n *groupNorm) coefficients(a, g, h, stats []float32) {
	size := n.channels / n.Groups
	count := float64(size * n.pixels)
	for k := range n.Groups {
		var sum, dot float64 // of a dy, and a dy u
		for j := k * size; j < (k+1)*size; j++ {
			sum += float64(a[j] * g[j])
			dot += float64(a[j] * h[j])
		}
		slope := float32(-dot / count * float64(stats[2*k+1]))
		shift := float32(-sum/count) - float32(slope*stats[2*k])
		for j := k * size; j < (k+1)*size; j++ {
			g[j], h[j] = slope, shift
		}
	}
}
