package layer

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// squareBlock is how many channels of the input, and of the output, a task has of the gradient by
// the weights of a convolution in squares: so many that what both sides take to be transformed is
// little beside the products.
const squareBlock = 64

// squareParts is how a task of a cost is cut into parts: into strips of the pictures, which take no
// longer in all, and these into so many parts each, of rows of the places of a square, which do.
func (c *conv) squareParts(cost float64) (strips, rows int) {
	strips, rows = blas.WinogradStrips(c.x), 1
	for cost /= float64(strips); rows < 4 && c.values.tooDear(cost); cost /= 2 {
		rows *= 2
	}
	return strips, rows
}

// squareTasks is GradTasks of a convolution in squares (blas.WinogradGrad). A task is the weights
// of all taps from some channels to some. Where workers are many, it has parts.
func (c *conv) squareTasks(w *Wave) (tasks []GradTask) {
	from, to := pool.Pieces(c.in, squareBlock), pool.Pieces(c.out, squareBlock)
	at := 0 // of the task's sums
	for i := range from {
		for j := range to {
			var p squarePart
			p.first, p.last = groupSpan(c.in, from, i)
			p.lo, p.hi = groupSpan(c.out, to, j)
			p.at = at
			at += blas.WinogradSums(c.x, p.last-p.first, p.hi-p.lo)
			p.end = at
			// what the patches' products would take: other layers' tasks are compared with it
			cost := float64(c.taps*(p.last-p.first)*(p.hi-p.lo)) * float64(c.values.Rows*c.pixels)
			task := GradTask{
				Task:   Task{cost, func() { c.squareTaps(w, p) }},
				Writes: c.squareBlocks(p),
				Parts:  c.partsOf(w, p, cost),
			}
			if c.values.Workers > fewWorkers { // else one lays out all while others work
				task.Pack = func() { c.packSquares(p) }
			}
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// groupSpan is pool.Span of whole groups.
func groupSpan(total, n, i int) (lo, hi int) {
	lo, hi = pool.Span(pool.Pieces(total, blas.Group), n, i)
	return lo * blas.Group, min(hi*blas.Group, total)
}

// packSquares lays out the weights of a part for products.
func (c *conv) packSquares(p squarePart) {
	weights := c.matrix(c.values.P)
	c.forward.SetConvPart(weights, p.first, p.last, p.lo, p.hi)
	if c.values.AsksX {
		c.backward.SetTurnedPart(weights, p.first, p.last, p.lo, p.hi)
	}
}

// partsOf is the parts of a task. With several strips, the sums for the bias are a part as well,
// since they are one chain over all pixels.
func (c *conv) partsOf(w *Wave, p squarePart, cost float64) (parts []Task) {
	strips, rows := 1, 1
	all := blas.WinogradStrips(c.x)
	if c.values.tooDear(cost) {
		strips, rows = c.squareParts(cost)
	}
	bias := p.first == 0 // and not done yet
	if bias && strips > 1 {
		bias = false
		parts = append(parts,
			Task{c.biasCost(p.hi - p.lo), func() { c.biasGradient(w, p.lo, p.hi) }})
	}
	for i := range strips {
		for j := range rows {
			first, last := pool.Span(all, strips, i)
			lo, hi := pool.Span(4, rows, j)
			biasToo := bias && i == 0 && j == 0
			parts = append(parts, Task{cost / float64(strips*rows), func() {
				if biasToo {
					c.biasGradient(w, p.lo, p.hi)
				}
				for strip := first; strip < last; strip++ {
					c.squareSums(w, p, strip, lo, hi)
				}
			}})
		}
	}
	return parts
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

// squareSums adds a wave to the sums of a part, those of a strip and of rows lo to hi of places.
// Lanes have sums of their own, one after the other.
func (c *conv) squareSums(w *Wave, p squarePart, strip, lo, hi int) {
	if !w.Lanes.Several() {
		x, dy := blas.Patches(c.values.X, w.Rows, c.x), c.squareGradient(w, p)
		from, sums := p.last-p.first, c.sums[p.at:p.end]
		c.values.Products.WinogradGradPart(x, p.first, from, dy, w.beta(), sums, strip, lo, hi)
	}
}

// squareTaps makes the gradient of a part of its sums, after the last wave.
func (c *conv) squareTaps(w *Wave, p squarePart) {
	from, sums := p.last-p.first, c.sums[p.at:p.end]
	rows := (c.taps-1)*c.in + from
	grad := blas.Dense(c.weight.Of(w.Grad)[p.first*c.out:], rows, c.out).Slice(p.lo, p.hi)
	if lanes := w.Lanes.Times(c.pixels); lanes.Several() {
		x, dy := blas.Patches(c.values.X, w.Rows, c.x), c.squareGradient(w, p)
		c.values.Products.WinogradLanes(lanes, w.Scale, x, p.first, from, dy, sums, grad)
	} else if w.Last {
		c.values.Products.WinogradTaps(sums, from, c.in, w.Scale, grad)
	}
}

// squareGradient is the channels of dy of a part.
func (c *conv) squareGradient(w *Wave, p squarePart) blas.Matrix {
	return blas.Dense(c.values.DY, w.Rows*c.pixels, c.out).Slice(p.lo, p.hi)
}
