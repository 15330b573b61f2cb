package classify

import (
	"context"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// blockRows is the number of images that are in memory at a time.
const blockRows = 500

// reader runs images through the trained networks.
type reader struct {
	*Classifier
	pool        *pool.Pool
	trunk, head model.Tape
	zero        []float32
}

func (c *Classifier) newReader(p *pool.Pool) *reader {
	r := &reader{
		Classifier: c, pool: p, zero: make([]float32, c.FeatureCount()),
		trunk: c.trunk.net.NewTape(nil, c.trunk.p, blockRows, model.Evaluate),
		head:  c.head.net.NewTape(nil, c.head.p, blockRows, model.Evaluate),
	}
	for _, t := range []model.Tape{r.trunk, r.head} {
		p.Run(pool.Group{N: t.PackTasks(), Do: t.Pack})
	}
	return r
}

// read writes the features of the images idx, clamped to [-1, 1], into dst (len(idx) x
// FeatureCount) and leaves their logits in the head's tape. There may be at most blockRows images.
func (r *reader) read(rows data.Rows, idx []int, dst []float32) {
	rows.Gather(r.trunk.In(0, len(idx)), idx)
	tiles, width := pool.Pieces(len(idx), tileRows), r.FeatureCount()
	r.pool.Run(pool.Group{N: tiles, Do: func(i int) {
		lo, hi := pool.Span(len(idx), tiles, i)
		in := r.trunk.In(lo, hi)
		for j, v := range in {
			in[j] = min(1, max(-1, v))
		}
		r.trunk.Forward(lo, hi)
		features := dst[lo*width : hi*width]
		kernel.BiasSiLU(features, r.trunk.Out(lo, hi), r.zero)
		copy(r.head.In(lo, hi), features)
		r.head.Forward(lo, hi)
	}})
}

// Features returns the values of the penultimate layer, Len x FeatureCount, for the images clamped
// to [-1, 1], as they are shown. It gathers every image once, in blocks. It returns ctx's error
// soon after ctx ends.
func (c *Classifier) Features(
	ctx context.Context, rows data.Rows, p *pool.Pool,
) ([]float32, error) {
	r, width := c.newReader(p), c.FeatureCount()
	out := make([]float32, rows.Len()*width)
	for lo := 0; lo < rows.Len() && ctx.Err() == nil; lo += blockRows {
		idx := data.Range(lo, min(lo+blockRows, rows.Len()))
		r.read(rows, idx, out[lo*width:(lo+len(idx))*width])
	}
	return out, ctx.Err()
}

// accuracy returns the share of images whose largest logit, the first of equals, is that of their
// class.
func (c *Classifier) accuracy(ctx context.Context, test labelled, p *pool.Pool) (float64, error) {
	r := c.newReader(p)
	features := make([]float32, blockRows*c.FeatureCount())
	right := 0
	for lo := 0; lo < len(test.class) && ctx.Err() == nil; lo += blockRows {
		idx := data.Range(lo, min(lo+blockRows, len(test.class)))
		r.read(test.images, idx, features[:len(idx)*c.FeatureCount()])
		logits, n := r.head.Out(0, len(idx)), len(c.Classes)
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
