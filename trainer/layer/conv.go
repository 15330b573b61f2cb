package layer

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// Conv is the convolution
//
//	y[h, w] = b + sum over kh, kw of x[h + kh - K/2, w + kw - K/2] W[kh, kw]
//
// with x = 0 outside the picture and W[kh, kw] of C x Channels; W is KH x KW x C x Channels. K is
// Size in each direction, but KH is 1 for signals (H = 1). It is a product whose left factor is the
// patches of the picture, or with 3 x 3 pixels of many channels it is computed in squares
// ([blas.Backend.Winograds]); the gradient by x is the convolution of dy by the weights turned by
// half a circle.
type Conv struct {
	Channels int  // of the output
	Size     int  // odd
	Zero     bool // W and b start at zero; else uniform within 1/sqrt(KH KW C), as in PyTorch
}

// window is what a pixel of the output sees of pictures like in with the given channels.
func (l Conv) window(in Shape, channels int) blas.Window {
	w := blas.Window{H: in.H, W: in.W, C: channels, KH: l.Size, KW: l.Size}
	if in.H == 1 {
		w.KH = 1
	}
	return w
}

// Out implements Layer.
func (l Conv) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if l.Size < 1 || l.Size%2 == 0 {
		return Shape{}, fmt.Errorf("a window of %d pixels: needs an odd number", l.Size)
	}
	if l.Channels < 1 {
		return Shape{}, fmt.Errorf("%d channels: needs 1 or more", l.Channels)
	}
	return Shape{in[0].H, in[0].W, l.Channels}, nil
}

// Params implements Layer.
func (l Conv) Params(in ...Shape) []Param {
	w := l.window(in[0], in[0].C)
	bound := 0.0
	if !l.Zero {
		bound = 1 / math.Sqrt(float64(w.KH*w.KW*w.C))
	}
	return []Param{
		{Name: "weight", Shape: []int{w.KH, w.KW, w.C, l.Channels}, Bound: bound},
		{Name: "bias", Shape: []int{l.Channels}, Bound: bound},
	}
}

// Memory implements Layer.
func (l Conv) Memory(in ...Shape) Memory {
	return Memory{
		KeepsX: true, KeepsDY: true, RoundsDY: true,
		RoundsX: roundsX(l.window(in[0], in[0].C), l.Channels),
	}
}

// roundsX reports whether what a convolution to so many channels sees can be kept rounded.
func roundsX(seen blas.Window, channels int) bool {
	return seen.KH*seen.KW == 1 || blas.KeepsPictures(seen, channels)
}

// Bind implements Layer.
func (l Conv) Bind(v Values, in ...Shape) Pair {
	x, dy := l.window(in[0], in[0].C), l.window(in[0], l.Channels)
	b := &conv{
		values: v, x: x, dy: dy, taps: x.KH * x.KW, in: in[0].C, out: l.Channels,
		pixels: in[0].Pixels(), weight: v.Param(0), bias: v.Param(1),
		forward: v.Products.Factor(), backward: v.Products.Factor(),
	}
	panels := func(n int) []float32 { return v.Arena.Floats(memory.PackedWeights, n) }
	b.forward.ReserveConv(x, b.out, panels)
	if v.AsksX {
		b.backward.ReserveTurned(b.in, dy, panels)
	}
	if v.Grads && v.Products.Keeps() {
		b.keep()
	}
	if v.Grads && v.Products.Winograds(x, b.out) {
		b.squares = true
		b.sums = v.Arena.Floats(memory.Gradients, blas.WinogradSums(x, b.in, b.out))
	}
	return b
}

// keep makes memory for what gradients by the weights read.
func (c *conv) keep() {
	c.keeps, c.keepsX = true, roundsX(c.x, c.out)
	v := &c.values
	kept := func(n int) []float32 { return v.Arena.Floats(memory.Activations, n) }
	switch {
	case c.taps == 1:
		c.keptX = v.Products.Rounded(v.Rows*c.pixels, c.in, kept)
	case c.keepsX:
		c.keptX = v.Products.RoundedPictures(v.Rows, c.x, kept)
	}
	c.keptDY = v.Products.Rounded(v.Rows*c.pixels, c.out, kept)
}

type conv struct {
	values                Values
	x, dy                 blas.Window
	taps, in, out, pixels int
	weight, bias          Range
	forward, backward     blas.Factor // W, and W turned

	squares bool      // gradients by the weights come from squares
	sums    []float32 // of these, block by block

	keeps, keepsX bool // DY, and X, are kept here, rounded
	keptX, keptDY blas.Rounded
}

func (c *conv) matrix(p []float32) blas.Matrix {
	return blas.Dense(c.weight.Of(p), c.taps*c.in, c.out)
}

// PackTasks implements Weighted.
func (c *conv) PackTasks() []Task {
	cost := float64(c.taps * c.in * c.out)
	tasks := []Task{{cost, func() { c.forward.SetConv(c.matrix(c.values.P), c.x) }}}
	if c.values.AsksX {
		turn := func() { c.backward.SetTurned(c.matrix(c.values.P), c.dy) }
		tasks = append(tasks, Task{cost, turn})
	}
	return tasks
}

func (c *conv) Forward(t *Tile) {
	y := blas.Dense(t.Y, t.N*c.pixels, c.out)
	c.forward.Mul(c.seen(t), c.bias.Of(c.values.P), y)
}

// seen is what the window sees of a tile. It is kept, if that is wanted.
func (c *conv) seen(t *Tile) blas.Left {
	if t.Rounded != nil {
		return t.Rounded.Left()
	}
	if !c.keepsX {
		return blas.Patches(t.X[0], t.N, c.x)
	}
	rows := c.tile(c.keptX, t)
	rows.Set(blas.Dense(t.X[0], t.N*c.pixels, c.in))
	return c.patches(rows)
}

// patches is what the window sees of pixels that are kept.
func (c *conv) patches(kept blas.Rounded) blas.Left {
	if c.taps == 1 {
		return kept.Left()
	}
	return kept.Patches()
}

// tile is what is kept of a tile's pixels.
func (c *conv) tile(kept blas.Rounded, t *Tile) blas.Rounded {
	return kept.Rows(t.First*c.pixels, (t.First+t.N)*c.pixels)
}

func (c *conv) Backward(t *Tile) {
	dy := blas.Patches(t.DY, t.N, c.dy)
	if c.keeps {
		rows := c.tile(c.keptDY, t)
		rows.Set(blas.Dense(t.DY, t.N*c.pixels, c.out))
		if c.taps == 1 {
			dy = rows.Left()
		}
	}
	if t.DX[0] == nil {
		return
	}
	dx := blas.Dense(t.DX[0], t.N*c.pixels, c.in)
	c.backward.MulAdd(dy, dx, t.Add[0])
}

// DY implements Keeper.
func (c *conv) DY() []float32 {
	if !c.keeps {
		return nil
	}
	return c.keptDY.Floats()
}

// GradTasks implements Weighted. A task is a block of the weights, over all rows: of whole taps, or
// of a part of the channels of one pixel.
func (c *conv) GradTasks(w *Wave) (tasks []GradTask) {
	if c.squares {
		return c.squareTasks(w)
	}
	k, unit, across := c.taps*c.in, c.in, 1
	if c.taps == 1 {
		unit = 1
	}
	if c.keeps || c.packsParts() {
		across = blas.Group
		if c.taps == 1 {
			unit = blas.Group
		}
	}
	wide, high := c.largestBlock()
	units := pool.Pieces(k, unit)
	cols, rows := pool.Pieces(c.out, wide), min(pool.Pieces(k, high), units)
	for i := range cols {
		for r := range rows {
			lo, hi := pool.Span(pool.Pieces(c.out, across), cols, i)
			lo, hi = lo*across, min(hi*across, c.out)
			first, last := pool.Span(units, rows, r)
			first, last = first*unit, min(last*unit, k)
			cost := float64(hi-lo) * float64(last-first) * float64(c.values.Rows*c.pixels)
			task := GradTask{
				Task:   Task{cost, func() { c.gradient(w, lo, hi, first, last) }},
				Writes: c.blocks(lo, hi, first, last),
			}
			if first == 0 && !c.keeps {
				task = c.withBias(w, task, lo, hi)
			}
			if c.packsParts() {
				task.Pack = func() { c.pack(lo, hi, first, last) }
			}
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// packsParts reports whether each task lays its own weights out for products: where they are
// rounded, while a cache has them, and else for so many workers that they would wait for one.
func (c *conv) packsParts() bool {
	return c.taps == 1 &&
		(c.keeps || c.values.Products.CutFree() && c.values.Workers > fewWorkers)
}

// blocks are columns lo to hi of rows first to last of the weights, and of the bias those that come
// with the first rows.
func (c *conv) blocks(lo, hi, first, last int) []memory.Block {
	weights := memory.Block{
		At: c.weight.Lo + first*c.out + lo, Rows: last - first, Cols: hi - lo, Stride: c.out,
	}
	if first > 0 {
		return []memory.Block{weights}
	}
	return []memory.Block{weights, memory.Span(c.bias.Lo+lo, c.bias.Lo+hi)}
}

// fewWorkers and manyWorkers bound the numbers of workers for whom blocks of weights have the same
// size.
const fewWorkers, manyWorkers = 8, 64

// largestBlock is the largest block of weights in one task: large enough that the product runs at
// full rate, and small enough to feed many workers, for whom the rate counts less than that all
// have as much to do. Where factors are rounded, each task lays them out for itself, and a block is
// about as wide as it is high.
func (c *conv) largestBlock() (cols, rows int) {
	cols, rows = 400, 256
	if c.values.Products.Precision() == blas.Float32 {
		cols, rows = 128, 512
	}
	if !c.values.Products.CutFree() || c.values.Workers <= fewWorkers {
		return cols, rows
	}
	cols, rows = max(64, cols/4), max(64, rows/4)
	if c.values.Workers > manyWorkers {
		rows = 64
	}
	if c.keeps {
		return cols, rows
	}
	all := float64(c.values.Rows * c.pixels)
	for rows > 32 && c.values.tooDear(float64(min(cols, c.out)*min(rows, c.taps*c.in))*all) {
		rows /= 2
	}
	return cols, rows
}

// gradient computes columns lo to hi of rows first to last of the product of the transposed patches
// and dy, and with the first rows the sums of dy.
func (c *conv) gradient(w *Wave, lo, hi, first, last int) {
	n := w.Rows * c.pixels
	if c.keeps {
		c.keptGradient(w, lo, hi, first, last, n)
		return
	}
	x := blas.Patches(c.values.X, w.Rows, c.x).Slice(first, last)
	dy := blas.Dense(c.values.DY, n, c.out).Slice(lo, hi)
	grad := blas.Dense(c.weight.Of(w.Grad)[first*c.out:], last-first, c.out).Slice(lo, hi)
	switch lanes := w.Lanes.Times(c.pixels); {
	case lanes.Several() && c.taps == 1:
		c.values.Products.GradLanes(lanes, w.Scale, x, dy, grad)
	case lanes.Several():
		c.values.Products.ConvGradLanes(lanes, w.Scale, x, dy, grad)
	case c.taps == 1:
		c.values.Products.Gemm(blas.T, blas.N, w.Scale, x, dy, w.beta(), grad)
	default:
		c.values.Products.ConvGrad(w.Scale, x, dy, w.beta(), grad)
	}
}

// withBias is a task that also computes the bias's gradient from column lo to hi: in a part of its
// own, where it reads so many pixels that workers would wait.
func (c *conv) withBias(w *Wave, task GradTask, lo, hi int) GradTask {
	cost, product := c.biasCost(hi-lo), task.Do
	if !c.values.tooDear(task.Cost + cost) {
		task.Do = func() {
			product()
			c.biasGradient(w, lo, hi)
		}
		return task
	}
	task.Parts = []Task{{task.Cost, product}, {cost, func() { c.biasGradient(w, lo, hi) }}}
	task.Do = func() {}
	return task
}

// biasCost is about how many multiply-adds of a product take as long as the bias's gradient for
// some channels, which memory delivers.
func (c *conv) biasCost(channels int) float64 {
	const each = 16
	return each * float64(channels) * float64(c.values.Rows*c.pixels)
}

// biasGradient adds a wave to the bias's gradient from channel lo to hi.
func (c *conv) biasGradient(w *Wave, lo, hi int) {
	dy := blas.Dense(c.values.DY, w.Rows*c.pixels, c.out).Slice(lo, hi)
	w.columns(c.bias.Of(w.Grad)[lo:hi], dy.Data, c.out, c.pixels)
}

// keptGradient is gradient from what is kept of n pixels. The scale comes last, so that factors are
// those of the other products.
func (c *conv) keptGradient(w *Wave, lo, hi, first, last, n int) {
	grad := blas.Dense(c.weight.Of(w.Grad)[first*c.out:], last-first, c.out).Slice(lo, hi)
	var bias []float32
	if first == 0 {
		bias = c.bias.Of(w.Grad)[lo:hi]
	}
	var x blas.Left
	if c.keepsX {
		x = c.patches(c.keptX.Rows(0, n))
	} else {
		x = blas.Patches(c.values.X, w.Rows, c.x)
	}
	x, dy := x.Slice(first, last), c.keptDY.Rows(0, n).Slice(lo, hi)
	if lanes := w.Lanes.Times(c.pixels); lanes.Several() {
		c.values.Products.WeightGradLanes(lanes, w.Scale, x, dy, grad, bias)
		return
	}
	c.values.Products.WeightGrad(x, dy, w.beta(), grad, bias)
	if !w.Last {
		return
	}
	kernel.Scale(bias, w.Scale)
	for i := range grad.Rows {
		kernel.Scale(grad.Data[i*grad.Stride:][:grad.Cols], w.Scale)
	}
}

// pack lays out columns lo to hi of rows first to last of the weights of one pixel.
func (c *conv) pack(lo, hi, first, last int) {
	c.forward.SetPart(first, last, lo, hi)
	if c.values.AsksX {
		c.backward.SetPart(lo, hi, first, last)
	}
}

// columns computes the sums of the columns of dy, which has so many rows, stride apart, for each
// row of the wave.
func (w *Wave) columns(sum, dy []float32, stride, each int) {
	w.Sum(sum, w.Scale, func(sum []float32, lo, hi int) {
		part := dy[lo*each*stride:]
		kernel.ColSumAdd(sum, part[:((hi-lo)*each-1)*stride+len(sum)], stride)
	})
}
