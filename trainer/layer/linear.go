package layer

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// Linear is y = x W + b at every pixel, W of C x Channels.
type Linear struct {
	Channels int  // of the output
	Zero     bool // W and b start at zero; else uniform within 1/sqrt(C), as in PyTorch
}

// Out implements Layer.
func (l Linear) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if l.Channels < 1 {
		return Shape{}, fmt.Errorf("%d channels: needs 1 or more", l.Channels)
	}
	return Shape{in[0].H, in[0].W, l.Channels}, nil
}

// Params implements Layer.
func (l Linear) Params(in ...Shape) []Param {
	bound := 0.0
	if !l.Zero {
		bound = 1 / math.Sqrt(float64(in[0].C))
	}
	return []Param{
		{Name: "weight", Shape: []int{in[0].C, l.Channels}, Bound: bound},
		{Name: "bias", Shape: []int{l.Channels}, Bound: bound},
	}
}

// Memory implements Layer.
func (l Linear) Memory(...Shape) Memory { return Memory{KeepsX: true, KeepsDY: true} }

// Bind implements Layer.
func (l Linear) Bind(v Values, in ...Shape) Pair {
	b := &linear{
		values: v, in: in[0].C, out: l.Channels, pixels: in[0].Pixels(),
		weight: v.Param(0), bias: v.Param(1),
		forward: v.Products.Factor(), backward: v.Products.Factor(),
	}
	panels := func(n int) []float32 { return v.Arena.Floats(memory.PackedWeights, n) }
	b.forward.Reserve(b.in, b.out, panels)
	if v.AsksX {
		b.backward.Reserve(b.out, b.in, panels)
	}
	return b
}

type linear struct {
	values            Values
	in, out, pixels   int
	weight, bias      Range
	forward, backward blas.Factor // W and its transpose
}

func (l *linear) matrix(p []float32) blas.Matrix {
	return blas.Dense(l.weight.Of(p), l.in, l.out)
}

// PackTasks implements Weighted.
func (l *linear) PackTasks() []Task {
	cost := float64(l.in * l.out)
	tasks := []Task{{cost, func() { l.forward.Set(blas.N, l.matrix(l.values.P)) }}}
	if l.values.AsksX {
		tasks = append(tasks, Task{cost, func() { l.backward.Set(blas.T, l.matrix(l.values.P)) }})
	}
	return tasks
}

func (l *linear) Forward(t *Tile) {
	n := t.N * l.pixels
	x, y := blas.Dense(t.X[0], n, l.in), blas.Dense(t.Y, n, l.out)
	l.forward.Mul(x.Left(), l.bias.Of(l.values.P), y)
}

func (l *linear) Backward(t *Tile) {
	if t.DX[0] == nil {
		return
	}
	n := t.N * l.pixels
	dy, dx := blas.Dense(t.DY, n, l.out), blas.Dense(t.DX[0], n, l.in)
	l.backward.MulAdd(dy.Left(), dx, t.Add[0])
}

// GradTasks implements Weighted. A task is a block of the weights, over all rows.
func (l *linear) GradTasks(w *Wave) (tasks []Task) {
	cols, rows := pool.Pieces(l.out, gradCols), pool.Pieces(l.in, gradRows)
	for c := range cols {
		for r := range rows {
			lo, hi := pool.Span(l.out, cols, c)
			first, last := pool.Span(l.in, rows, r)
			tasks = append(tasks, Task{
				float64((hi - lo) * (last - first) * l.values.Rows * l.pixels),
				func() { l.gradient(w, lo, hi, first, last) },
			})
		}
	}
	return tasks
}

// The largest block of weights in one task: small enough to feed many workers, large enough that
// the product runs at full rate.
const gradCols, gradRows = 128, 512

// gradient computes columns lo to hi of rows first to last of x^T dy, and with the first rows the
// sums of dy.
func (l *linear) gradient(w *Wave, lo, hi, first, last int) {
	n := w.Rows * l.pixels
	x := blas.Dense(l.values.X, n, l.in).Left().Slice(first, last)
	dy := blas.Dense(l.values.DY, n, l.out).Slice(lo, hi)
	grad := blas.Dense(l.weight.Of(w.Grad)[first*l.out:], last-first, l.out).Slice(lo, hi)
	l.values.Products.Gemm(blas.T, blas.N, w.Scale, x, dy, w.beta(), grad)
	if first == 0 {
		w.columns(l.bias.Of(w.Grad)[lo:hi], dy.Data, l.out, n)
	}
}

// columns adds the sums of the columns of the n rows of dy, stride apart, to those of the waves
// before, and scales them after the last.
func (w *Wave) columns(sum, dy []float32, stride, n int) {
	if w.First {
		clear(sum)
	}
	kernel.ColSumAdd(sum, dy[:(n-1)*stride+len(sum)], stride)
	if w.Last {
		kernel.Scale(sum, w.Scale)
	}
}
