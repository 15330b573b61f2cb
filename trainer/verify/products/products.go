// Package products has the experiment on the products of a layer, in whose precision factors may be
// rounded or split (ALGORITHM.md, section 8.5).
package products

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// Experiments are those of section 8.5.
var Experiments = []lab.Experiment{
	{Section: "8.5", Title: "products of a layer", Run: layerProducts},
}

// The layer y = x W of so many rows: none of the sizes is whole tiles or groups.
const rows, in, out = 150, 77, 51

// layerProducts compares the three products of a linear layer with sums in float64. Of the factors
// as the precision rounds or splits them, only the roundings of float32 sums are left. Of the
// factors as they are, the precision's own error shows.
func layerProducts(l *lab.Lab) error {
	p := l.Products.Precision()
	lost := make([]lab.Sample, len(names))
	worst := make([]float64, len(names))
	for k := range l.N(20, 400) {
		for i, c := range newLayer(l, k).comparisons() {
			w, square := c.compare(p)
			worst[i] = max(worst[i], w)
			lost[i] = append(lost[i], square/(float64(c.depth)*factorError()))
		}
	}
	for i, name := range names {
		l.AtMost(fmt.Sprintf("%s: error of its sums, in 2^-24 of the sizes added", name),
			worst[i], sumBound(depths[i]))
		if p == blas.BF16 || p == blas.BF16Pairs {
			l.EstimateMean(fmt.Sprintf("%s: mean square error, in that of rounded factors", name),
				1, lost[i], 0)
		}
	}
	return nil
}

// names and depths are those of the comparisons.
var (
	names  = [...]string{"y = x W", "gradient by x", "gradient by W"}
	depths = [...]int{in, out, rows}
)

// linear is the layer with normal numbers, and what it computes.
type linear struct{ x, w, dy, y, dx, dw []float32 }

func newLayer(l *lab.Lab, k int) *linear {
	normals := func(stream uint64, n int) []float32 {
		x := make([]float32, n)
		kernel.Normal(x, kernel.Key{Seed: l.Seed(k), Stream: particle.StreamCloud}, stream<<32)
		return x
	}
	c := &linear{x: normals(0, rows*in), w: normals(1, in*out), dy: normals(2, rows*out)}
	net := model.NewMLP(l.Products, in, out)
	p, grad := make([]float32, net.Layout().Size()), make([]float32, net.Layout().Size())
	copy(p, c.w) // and no bias
	tape := net.NewTape(nil, p, model.Size{Rows: rows}, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	pass := tape.Take(0, rows)
	defer pass.Release()
	copy(pass.In(0), c.x)
	pass.Forward()
	c.y = append(c.y, pass.Out()...)
	copy(pass.DOut(), c.dy)
	c.dx = make([]float32, rows*in)
	pass.Backward(c.dx)
	tape.Reduce(layer.Wave{Rows: rows, First: true, Last: true, Scale: 1, Grad: grad})
	for i := range tape.GradTasks() {
		tape.Grad(i)
	}
	c.dw = grad[:in*out]
	return c
}

func (c *linear) comparisons() []comparison {
	return []comparison{
		{matrix{c.x, in, 1}, matrix{c.w, out, 1}, c.y, out, depths[0]},
		{matrix{c.dy, out, 1}, matrix{c.w, 1, out}, c.dx, in, depths[1]},
		{matrix{c.x, 1, in}, matrix{c.dy, out, 1}, c.dw, out, depths[2]},
	}
}
