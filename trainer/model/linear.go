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

// layer is a linear layer bound to its parameters, with the weights laid out for products.
type layer struct {
	linear
	p                 []float32
	forward, backward blas.Factor // W and W^T
}

// pack lays out W, or W^T for the way back.
func (l *layer) pack(backward bool) {
	if backward {
		l.backward.Set(blas.T, l.weight(l.p))
	} else {
		l.forward.Set(blas.N, l.weight(l.p))
	}
}

// mul is y = x W, without the bias, which the caller's next kernel adds.
func (l *layer) mul(y, x []float32, rows int) {
	l.forward.Mul(blas.Dense(x, rows, l.in), nil, blas.Dense(y, rows, l.out))
}

// mulBias is y = x W + b.
func (l *layer) mulBias(y, x []float32, rows int) {
	l.forward.Mul(blas.Dense(x, rows, l.in), l.linear.bias(l.p), blas.Dense(y, rows, l.out))
}

// mulT is dx = dy W^T.
func (l *layer) mulT(dx, dy []float32, rows int) {
	l.backward.Mul(blas.Dense(dy, rows, l.out), nil, blas.Dense(dx, rows, l.in))
}

// bias is b.
func (l *layer) bias() []float32 { return l.linear.bias(l.p) }

// packing is the layers of a tape whose weights are laid out: forward those of all, and for the way
// back those that a gradient passes.
type packing struct{ forward, backward []*layer }

func (p packing) PackTasks(backward bool) int {
	if backward {
		return len(p.forward) + len(p.backward)
	}
	return len(p.forward)
}

func (p packing) Pack(task int) {
	if n := len(p.forward); task < n {
		p.forward[task].pack(false)
	} else {
		p.backward[task-n].pack(true)
	}
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
