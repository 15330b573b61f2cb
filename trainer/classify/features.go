package classify

import (
	"context"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// Images are gathered in blocks of at most blockRows images and, if these are not too large,
// blockNumbers pixels: 64 MiB.
const blockRows, blockNumbers = 500, 1 << 24

// reader runs images through a trained network.
type reader struct {
	pool *pool.Pool
	tape *model.Tape
	tile int       // rows of a pass
	x    []float32 // a block of images
}

// read returns a reader of the features or of the logits.
func (c *Classifier) read(net *model.Net, p *pool.Pool) *reader {
	size := model.Size{Rows: c.tileRows(), Passes: p.Workers()}
	block := max(1, min(blockRows, blockNumbers/net.In()))
	r := &reader{
		pool: p, tape: net.NewTape(nil, c.p, size, model.Evaluate), tile: size.Rows,
		x: make([]float32, block*net.In()),
	}
	p.Run(pool.Group{N: r.tape.PackTasks(), Do: r.tape.Pack})
	return r
}

// blocks calls f with the network's output for all images, clamped to [-1, 1], block by block, and
// with the number of the block's first image. One goroutine gathers them, since images that are
// decoded from latents need the pool themselves.
func (r *reader) blocks(
	ctx context.Context, rows data.Rows, f func(first int, out []float32),
) error {
	dim := r.tape.Net().In()
	size := len(r.x) / dim
	out := make([]float32, size*r.tape.Net().Out())
	for lo := 0; lo < rows.Len(); lo += size {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		hi := min(lo+size, rows.Len())
		rows.Gather(r.x[:(hi-lo)*dim], data.Range(lo, hi))
		r.forward(hi-lo, out)
		f(lo, out[:(hi-lo)*r.tape.Net().Out()])
	}
	return ctx.Err()
}

// forward writes the network's output for the first n images of the block into out.
func (r *reader) forward(n int, out []float32) {
	dim, width := r.tape.Net().In(), r.tape.Net().Out()
	tiles := pool.Pieces(n, r.tile)
	r.pool.Run(pool.Group{N: tiles, Do: func(i int) {
		lo, hi := pool.Span(n, tiles, i)
		pass := r.tape.Take(0, hi-lo)
		defer pass.Release()
		in := pass.In(0)
		for j, v := range r.x[lo*dim : hi*dim] {
			in[j] = min(1, max(-1, v))
		}
		pass.Forward()
		copy(out[lo*width:], pass.Out())
	}})
}

// Features returns the values of the penultimate layer, Len x FeatureCount, for the images clamped
// to [-1, 1], as they are shown. It gathers every image once, in blocks. It returns ctx's error
// soon after ctx ends.
func (c *Classifier) Features(
	ctx context.Context, rows data.Rows, p *pool.Pool,
) ([]float32, error) {
	all := make([]float32, 0, rows.Len()*c.FeatureCount())
	err := c.read(c.trunk, p).blocks(ctx, rows, func(_ int, out []float32) {
		all = append(all, out...)
	})
	return all, err
}

// Classify returns the class of each of the images, clamped to [-1, 1], as an index of c.Classes:
// that of the largest logit, the first of equals. It returns ctx's error soon after ctx ends.
func (c *Classifier) Classify(
	ctx context.Context, rows data.Rows, p *pool.Pool,
) (classes []int, err error) {
	n := len(c.Classes)
	err = c.read(c.net, p).blocks(ctx, rows, func(_ int, out []float32) {
		for ; len(out) > 0; out = out[n:] {
			classes = append(classes, argMax(out[:n]))
		}
	})
	return classes, err
}

// accuracy returns the share of images that are taken for their class.
func (c *Classifier) accuracy(ctx context.Context, test labelled, p *pool.Pool) (float64, error) {
	classes, err := c.Classify(ctx, test.images, p)
	if err != nil {
		return 0, err
	}
	right := 0
	for i, k := range classes {
		if k == test.class[i] {
			right++
		}
	}
	return float64(right) / float64(len(test.class)), nil
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
