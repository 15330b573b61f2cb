package model

import (
	"cmp"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// linear is y = x W + b with W of in x out; w and b are the offsets of the two parameters.
type linear struct {
	products *blas.Backend
	in, out  int
	w, b     int
}

// newLinear adds a layer to the layout. Its products are computed by the given backend, or the
// present default if that is nil. With zero, its parameters start at zero.
func newLinear(products *blas.Backend, l *Layout, name string, in, out int, zero bool) linear {
	bound := initBound(in)
	if zero {
		bound = 0
	}
	return linear{
		products: cmp.Or(products, blas.Default()), in: in, out: out,
		w: l.Add(name+".weight", bound, in, out), b: l.Add(name+".bias", bound, out),
	}
}

func (l linear) weight(p []float32) blas.Matrix { return blas.Dense(p[l.w:], l.in, l.out) }
func (l linear) bias(p []float32) []float32     { return p[l.b : l.b+l.out] }

// layer is a linear layer bound to its parameters, with the weights laid out for products.
type layer struct {
	linear
	p                 []float32
	forward, backward blas.Factor // W and W^T
}

// bind returns the layer with parameters p and memory for the packed W and, for a backward pass,
// W^T.
func (l linear) bind(a *memory.Arena, p []float32, backward bool) *layer {
	bound := &layer{linear: l, p: p, forward: l.products.Factor(), backward: l.products.Factor()}
	panels := func(n int) []float32 { return a.Floats(memory.PackedWeights, n) }
	bound.forward.Reserve(l.in, l.out, panels)
	if backward {
		bound.backward.Reserve(l.out, l.in, panels)
	}
	return bound
}

// pack lays out W, or W^T for the backward pass.
func (l *layer) pack(backward bool) {
	if backward {
		l.backward.Set(blas.T, l.weight(l.p))
	} else {
		l.forward.Set(blas.N, l.weight(l.p))
	}
}

// mul computes y = x W, without the bias, which the caller's next kernel adds.
func (l *layer) mul(y, x []float32, rows int) {
	l.forward.Mul(blas.Dense(x, rows, l.in).Left(), nil, blas.Dense(y, rows, l.out))
}

// mulBias computes y = x W + b.
func (l *layer) mulBias(y, x []float32, rows int) {
	l.forward.Mul(blas.Dense(x, rows, l.in).Left(), l.linear.bias(l.p), blas.Dense(y, rows, l.out))
}

// mulT computes dx = dy W^T.
func (l *layer) mulT(dx, dy []float32, rows int) {
	l.backward.Mul(blas.Dense(dy, rows, l.out).Left(), nil, blas.Dense(dx, rows, l.in))
}

func (l *layer) bias() []float32 { return l.linear.bias(l.p) }

// packing lists the layers of a tape whose weights are packed: all of them for the forward pass,
// and for the backward pass those that a gradient passes through.
type packing struct{ forward, backward []*layer }

// bind adds a layer; backward says whether it takes part in the backward pass.
func (p *packing) bind(a *memory.Arena, l linear, params []float32, backward bool) *layer {
	bound := l.bind(a, params, backward)
	p.forward = append(p.forward, bound)
	if backward {
		p.backward = append(p.backward, bound)
	}
	return bound
}

func (p packing) PackTasks() int { return len(p.forward) + len(p.backward) }

func (p packing) CutFree() bool {
	for _, l := range p.forward {
		if !l.products.CutFree() {
			return false
		}
	}
	return true
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

// weightGrad is the gradient of one layer's parameters.
type weightGrad struct {
	linear
	x, dy []float32 // the layer's input and the gradient of its output, all rows
}

// weightGrads is the gradients of the layers of a tape, cut into tasks of up to gradBlock columns
// of one layer. The cut does not depend on the number of workers, and each element is one sum over
// the rows in one product.
type weightGrads []weightGrad

func (w weightGrad) tasks() int { return pool.Pieces(w.out, gradBlock) }

func (w weightGrads) GradTasks() (n int) {
	for _, l := range w {
		n += l.tasks()
	}
	return n
}

func (w weightGrads) Grad(task int, grad []float32, rows int, scale float32) {
	for i := range w {
		n := w[i].tasks()
		if task < n {
			lo, hi := pool.Span(w[i].out, n, task)
			w[i].run(lo, hi, grad, rows, scale)
			return
		}
		task -= n
	}
}

// run writes columns lo to hi of scale * x^T dy and of scale * (sum of the rows of dy) into their
// places in grad.
func (w *weightGrad) run(lo, hi int, grad []float32, rows int, scale float32) {
	dy := blas.Dense(w.dy, rows, w.out).Slice(lo, hi)
	x := blas.Dense(w.x, rows, w.in)
	w.products.Gemm(blas.T, blas.N, scale, x.Left(), dy, 0, w.weight(grad).Slice(lo, hi))
	kernel.ColSum(w.bias(grad)[lo:hi], w.dy[lo:(rows-1)*w.out+hi], w.out, scale)
}

// cut returns rows lo to hi of an array of the given width.
func cut(x []float32, width, lo, hi int) []float32 { return x[lo*width : hi*width] }
