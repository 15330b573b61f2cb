package pca

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// How images are cut into tasks, whatever the number of workers.
const (
	blockRows  = 512     // images in memory at a time, fewer where they have many values
	minRows    = 128     // but no fewer than this
	blockValue = 1 << 23 // values in memory at a time
	pieceRows  = 32      // images of one task
	chunkCols  = 512     // values of an image between which products are summed in float64
	tileValues = 256     // values of an image that one task sums over a block
)

// rowsAtATime returns how many of m images of dim values are in memory at a time.
func rowsAtATime(m, dim int) int {
	return min(m, max(minRows, min(blockRows, blockValue/dim)))
}

// images reads the rows to be decomposed, block by block, relative to their mean.
type images struct {
	ctx      context.Context
	rows     data.Rows
	m        int
	dim      int
	pool     *pool.Pool
	onPass   func(n int)
	pass     int
	most     int // passes after which the search ends, whatever the residuals
	mean     []float64
	total    float64 // variance
	about    []float32
	scale    float32 // a power of 2 that brings values near 1, where float32 products are finite
	atATime  int     // rows of a block
	block    []float32
	idx      []int
	variance []float64   // of each value
	beyond   atomic.Bool // [-1, 1] lies some value
}

func newImages(a *memory.Arena, m, dim int, p *pool.Pool) *images {
	n := rowsAtATime(m, dim)
	return &images{
		m: m, dim: dim, pool: p, most: maxPasses, atATime: n,
		block: floats32(a, n, dim), idx: a.Ints(memory.Activations, n), about: floats32(a, dim),
		mean: floats64(a, dim), variance: floats64(a, dim),
	}
}

// raw calls f with consecutive blocks of images as they are; lo is the index of the first.
func (x *images) raw(f func(block blas.Matrix, lo int)) error {
	return x.each(func(piece blas.Matrix, _ int) {}, f)
}

// each calls f with consecutive blocks of images, the first of them number lo. Before that, several
// workers call piece for some rows of the block, the first of them number lo of the block.
func (x *images) each(
	piece func(rows blas.Matrix, lo int), f func(block blas.Matrix, lo int),
) error {
	x.begin()
	for lo := 0; lo < x.m; lo += len(x.idx) {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		block := x.read(x.block, lo, piece)
		f(block, lo)
	}
	return x.ctx.Err()
}

// begin counts a pass.
func (x *images) begin() {
	x.pass++
	if x.onPass != nil {
		x.onPass(x.pass)
	}
}

// spreadOf returns the squared variance of the scaled images.
func (x *images) spreadOf() float64 {
	scale := float64(x.scale)
	return math.Pow(x.total*scale*scale, 2)
}

// read gathers the block of images from lo on.
func (x *images) read(to []float32, lo int, piece func(rows blas.Matrix, lo int)) blas.Matrix {
	n := min(len(x.idx), x.m-lo)
	for i := range n {
		x.idx[i] = lo + i
	}
	block := blas.Dense(to, n, x.dim)
	pool.Each(x.pool, pool.Pieces(n, pieceRows), func(i int) {
		from, end := i*pieceRows, min((i+1)*pieceRows, n)
		rows := block.Data[from*x.dim : end*x.dim]
		x.rows.Gather(rows, x.idx[from:end])
		piece(blas.Dense(rows, end-from, x.dim), from)
	})
	return block
}

// centred subtracts the mean from a piece, and scales it.
func (x *images) centred(piece blas.Matrix) {
	for i := range piece.Rows {
		row := piece.Data[i*x.dim : (i+1)*x.dim]
		kernel.Axpy(row, -1, x.about)
		if x.scale != 1 {
			kernel.Scale(row, x.scale)
		}
	}
}

// columns calls f for tiles of values, lo to hi (exclusive), on all workers.
func (x *images) columns(f func(lo, hi int)) {
	pool.Each(x.pool, pool.Pieces(x.dim, tileValues), func(i int) {
		f(i*tileValues, min((i+1)*tileValues, x.dim))
	})
}

// center finds the mean and the total variance. Each value is summed in the order of the images.
func (x *images) center() error {
	var bad error
	err := x.raw(func(block blas.Matrix, lo int) {
		if i := kernel.NotFinite(block.Data); i >= 0 && bad == nil {
			bad = fmt.Errorf("pca: images with values that are not finite: image %d holds %v",
				lo+i/x.dim, block.Data[i])
		}
		x.columns(func(from, to int) {
			for i := range block.Rows {
				for j, v := range block.Data[i*x.dim+from : i*x.dim+to] {
					x.mean[from+j] += float64(v)
					if v > 1 || v < -1 {
						x.beyond.Store(true)
					}
				}
			}
		})
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	for j := range x.mean {
		x.mean[j] /= float64(x.m)
		x.about[j] = float32(x.mean[j])
	}
	return x.spread()
}

// spread finds the total variance and the scale.
func (x *images) spread() error {
	variance := x.variance
	err := x.raw(func(block blas.Matrix, _ int) {
		x.columns(func(from, to int) {
			for i := range block.Rows {
				for j, v := range block.Data[i*x.dim+from : i*x.dim+to] {
					d := float64(v) - x.mean[from+j]
					variance[from+j] += d * d
				}
			}
		})
	})
	if err != nil {
		return err
	}
	for _, v := range variance {
		x.total += v
	}
	x.total /= float64(x.m - 1)
	if x.total == 0 {
		return fmt.Errorf("pca: %d equal images, expected some variance", x.m)
	}
	_, exponent := math.Frexp(math.Sqrt(x.total / float64(x.dim)))
	x.scale = 1
	if exponent < -8 || exponent > 8 { // pixels in [-1, 1] stay as they are
		x.scale = float32(math.Ldexp(1, min(126, max(-126, -exponent))))
	}
	return nil
}
