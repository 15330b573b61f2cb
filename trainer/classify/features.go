package classify

import (
	"context"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// blockRows is the number of images that are in memory at a time.
const blockRows = 500

// reader runs images through a trained network.
type reader struct {
	pool   *pool.Pool
	tape   *model.Tape
	images []float32 // of a block
}

// read returns a reader of the features or of the logits.
func (c *Classifier) read(net *model.Net, p *pool.Pool) *reader {
	size := model.Size{Rows: tileRows, Passes: p.Workers()}
	r := &reader{
		pool: p, tape: net.NewTape(nil, c.p, size, model.Evaluate),
		images: make([]float32, blockRows*net.In()),
	}
	p.Run(pool.Group{N: r.tape.PackTasks(), Do: r.tape.Pack})
	return r
}

// rows writes the network's output for the images idx, clamped to [-1, 1], into dst. There may be
// at most blockRows images, which are gathered before the tasks start: the pool may be what makes
// them.
func (r *reader) rows(rows data.Rows, idx []int, dst []float32) {
	dim := r.tape.Net().In()
	rows.Gather(r.images[:len(idx)*dim], idx)
	tiles, width := pool.Pieces(len(idx), tileRows), len(dst)/len(idx)
	r.pool.Run(pool.Group{N: tiles, Do: func(i int) {
		lo, hi := pool.Span(len(idx), tiles, i)
		pass := r.tape.Take(0, hi-lo)
		defer pass.Release()
		in := pass.In(0)
		for j, v := range r.images[lo*dim : hi*dim] {
			in[j] = min(1, max(-1, v))
		}
		pass.Forward()
		copy(dst[lo*width:], pass.Out())
	}})
}

// Features returns the values of the penultimate layer, Len x FeatureCount, for the images clamped
// to [-1, 1], as they are shown. It gathers every image once, in blocks. It returns ctx's error
// soon after ctx ends.
func (c *Classifier) Features(
	ctx context.Context, rows data.Rows, p *pool.Pool,
) ([]float32, error) {
	r, width := c.read(c.trunk, p), c.FeatureCount()
	out := make([]float32, rows.Len()*width)
	for lo := 0; lo < rows.Len() && ctx.Err() == nil; lo += blockRows {
		idx := data.Range(lo, min(lo+blockRows, rows.Len()))
		r.rows(rows, idx, out[lo*width:(lo+len(idx))*width])
	}
	return out, ctx.Err()
}

// accuracy returns the share of images whose largest logit, the first of equals, is that of their
// class.
func (c *Classifier) accuracy(ctx context.Context, test labelled, p *pool.Pool) (float64, error) {
	r, n := c.read(c.net, p), len(c.Classes)
	logits := make([]float32, blockRows*n)
	right := 0
	for lo := 0; lo < len(test.class) && ctx.Err() == nil; lo += blockRows {
		idx := data.Range(lo, min(lo+blockRows, len(test.class)))
		r.rows(test.images, idx, logits[:len(idx)*n])
		for i := range idx {
			if argMax(logits[i*n:(i+1)*n]) == test.class[lo+i] {
				right++
			}
		}
	}
	return float64(right) / float64(len(test.class)), ctx.Err()
}

func argMax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
