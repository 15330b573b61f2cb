package layer

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// squareBlock is how many channels of the input, and of the output, a task has of the gradient by
// the weights of a convolution in squares: so many that what both sides take to be transformed is
// little beside the products, and fewer where many workers have to be fed.
func (c *conv) squareBlock() int {
	if c.values.Workers > fewWorkers {
		return 32
	}
	return 64
}

// squareTasks is GradTasks of a convolution in squares (blas.WinogradGrad). A task is the weights
// of all taps from some channels to some.
func (c *conv) squareTasks(w *Wave) (tasks []GradTask) {
	from, to := pool.Pieces(c.in, c.squareBlock()), pool.Pieces(c.out, c.squareBlock())
	at := 0 // of the task's sums
	for i := range from {
		for j := range to {
			var p squarePart
			p.first, p.last = pool.Span(c.in, from, i)
			p.lo, p.hi = pool.Span(c.out, to, j)
			p.at = at
			at += blas.WinogradSums(p.last-p.first, p.hi-p.lo)
			p.end = at
			// what the patches' products would take: other layers' tasks are compared with it
			cost := float64(c.taps*(p.last-p.first)*(p.hi-p.lo)) * float64(c.values.Rows*c.pixels)
			tasks = append(tasks, GradTask{
				Task:   Task{cost, func() { c.squareGradient(w, p) }},
				Writes: c.squareBlocks(p),
			})
		}
	}
	return tasks
}

// squarePart is the weights from channels first to last of the input to channels lo to hi of the
// output, and where their sums lie.
type squarePart struct{ first, last, lo, hi, at, end int }

// squareBlocks are the blocks of a part, and of the bias those that come with the first channels.
func (c *conv) squareBlocks(p squarePart) (blocks []memory.Block) {
	for t := range c.taps {
		blocks = append(blocks, c.blocks(p.lo, p.hi, t*c.in+p.first, t*c.in+p.last)...)
	}
	return blocks
}

// squareGradient adds a wave to the sums of a part, and after the last one makes the gradient of
// them.
func (c *conv) squareGradient(w *Wave, p squarePart) {
	products, from := c.values.Products, p.last-p.first
	x := blas.Patches(c.values.X, w.Rows, c.x)
	dy := blas.Dense(c.values.DY, w.Rows*c.pixels, c.out).Slice(p.lo, p.hi)
	if p.first == 0 {
		w.columns(c.bias.Of(w.Grad)[p.lo:p.hi], dy.Data, c.out, c.pixels)
	}
	rows := (c.taps-1)*c.in + from
	grad := blas.Dense(c.weight.Of(w.Grad)[p.first*c.out:], rows, c.out).Slice(p.lo, p.hi)
	sums := c.sums[p.at:p.end]
	if lanes := w.Lanes.Times(c.pixels); lanes.Several() {
		products.WinogradLanes(lanes, w.Scale, x, p.first, from, dy, sums, grad)
		return
	}
	products.WinogradGrad(x, p.first, from, dy, w.beta(), sums)
	if w.Last {
		products.WinogradTaps(sums, from, c.in, w.Scale, grad)
	}
}
