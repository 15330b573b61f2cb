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

// squareParts is how many parts a task has: 1, or 4, a row of places each, where tasks are few for
// the workers, as for a few channels of large pictures. Parts take longer in all.
func (c *conv) squareParts(tasks int) int {
	if c.values.Workers > fewWorkers && c.values.Workers >= 16*tasks {
		return 4
	}
	return 1
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
			task := GradTask{
				Task:   Task{cost, func() { c.squareTaps(w, p) }},
				Writes: c.squareBlocks(p),
			}
			parts := c.squareParts(from * to)
			for i := range parts {
				lo, hi := pool.Span(4, parts, i)
				task.Parts = append(task.Parts,
					Task{cost / float64(parts), func() { c.squareSums(w, p, lo, hi) }})
			}
			tasks = append(tasks, task)
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

// squareSums adds a wave to the sums of a part, those of rows lo to hi of places, and to the bias's
// gradient. Lanes have sums of their own, one after the other.
func (c *conv) squareSums(w *Wave, p squarePart, lo, hi int) {
	x, dy := c.squareFactors(w, p)
	if p.first == 0 && lo == 0 {
		w.columns(c.bias.Of(w.Grad)[p.lo:p.hi], dy.Data, c.out, c.pixels)
	}
	if !w.Lanes.Several() {
		from, sums := p.last-p.first, c.sums[p.at:p.end]
		c.values.Products.WinogradGradRows(x, p.first, from, dy, w.beta(), sums, lo, hi)
	}
}

// squareTaps makes the gradient of a part of its sums, after the last wave.
func (c *conv) squareTaps(w *Wave, p squarePart) {
	from, sums := p.last-p.first, c.sums[p.at:p.end]
	rows := (c.taps-1)*c.in + from
	grad := blas.Dense(c.weight.Of(w.Grad)[p.first*c.out:], rows, c.out).Slice(p.lo, p.hi)
	if lanes := w.Lanes.Times(c.pixels); lanes.Several() {
		x, dy := c.squareFactors(w, p)
		c.values.Products.WinogradLanes(lanes, w.Scale, x, p.first, from, dy, sums, grad)
	} else if w.Last {
		c.values.Products.WinogradTaps(sums, from, c.in, w.Scale, grad)
	}
}

// squareFactors are the patches of a wave, and the channels of dy of a part.
func (c *conv) squareFactors(w *Wave, p squarePart) (x blas.Left, dy blas.Matrix) {
	dy = blas.Dense(c.values.DY, w.Rows*c.pixels, c.out).Slice(p.lo, p.hi)
	return blas.Patches(c.values.X, w.Rows, c.x), dy
}
