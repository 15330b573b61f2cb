package model

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

// linear is y = x W + b with W of in x out, both parameters given by their offsets.
type linear struct {
	in, out int
	w, b    int
}

// newLinear adds a layer to the layout; zero makes it start at zero.
func newLinear(l *Layout, name string, in, out int, zero bool) linear {
	bound := initBound(in)
	if zero {
		bound = 0
	}
	return linear{in: in, out: out, w: l.add(name+".weight", bound, in, out), b: l.add(name+".bias", bound, out)}
}

func (l linear) weight(p []float32) blas.Matrix { return blas.Dense(p[l.w:], l.in, l.out) }
func (l linear) bias(p []float32) []float32     { return p[l.b : l.b+l.out] }

// mul is y = x W, without the bias, which the caller's next kernel adds.
func (l linear) mul(y, x, p []float32, rows int) {
	blas.Gemm(blas.N, blas.N, 1, blas.Dense(x, rows, l.in), l.weight(p), 0, blas.Dense(y, rows, l.out))
}

// mulT is dx = dy W^T.
func (l linear) mulT(dx, dy, p []float32, rows int) {
	blas.Gemm(blas.N, blas.T, 1, blas.Dense(dy, rows, l.out), l.weight(p), 0, blas.Dense(dx, rows, l.in))
}

// gradBlock is the largest number of columns of one weight-gradient task: small enough to feed
// many workers, large enough that the product runs at full rate.
const gradBlock = 128

// gradTask is the gradient of columns lo to hi of one layer: each element is one sum over the
// rows in one product, so the cut changes no bits between numbers of workers.
type gradTask struct {
	linear
	x, dy  []float32 // the layer's input and the gradient of its output, all rows
	lo, hi int
}

// gradTasks cuts the layer's gradient into tasks.
func (l linear) gradTasks(tasks []gradTask, x, dy []float32) []gradTask {
	n := pool.Pieces(l.out, gradBlock)
	for i := range n {
		lo, hi := pool.Span(l.out, n, i)
		tasks = append(tasks, gradTask{linear: l, x: x, dy: dy, lo: lo, hi: hi})
	}
	return tasks
}

// run writes scale * x^T dy and scale * sum of dy into its part of grad.
func (t *gradTask) run(grad []float32, rows int, scale float32) {
	dy := blas.Dense(t.dy, rows, t.out).Slice(t.lo, t.hi)
	blas.Gemm(blas.T, blas.N, scale, blas.Dense(t.x, rows, t.in), dy, 0, t.weight(grad).Slice(t.lo, t.hi))
	kernel.ColSum(t.bias(grad)[t.lo:t.hi], t.dy[t.lo:(rows-1)*t.out+t.hi], t.out, scale)
}

// cut is rows lo to hi of an array of the given width.
func cut(x []float32, width, lo, hi int) []float32 { return x[lo*width : hi*width] }
