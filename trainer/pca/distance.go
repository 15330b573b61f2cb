package pca

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
)

// Distance returns the PCA-64 FD of samples from the training images. Samples are rows of D values,
// which it clamps to [-1, 1] if all of the training images lie there. With means a, b and
// covariances A, B in the leading components,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}).
//
// It is 0 for the training images themselves, but not for another finite set of the same
// distribution: compare distances at equal n. Fewer than two samples and values that are not finite
// are errors. The caller's goroutine gathers the samples in blocks, each once; the rest is done on
// the pool (nil: by the caller). It ends with ctx's error soon after ctx ends.
func (p *PCA) Distance(
	ctx context.Context, samples data.Rows, workers *pool.Pool,
) (float64, error) {
	if n := samples.Len(); n < 2 {
		return 0, fmt.Errorf("pca: PCA-64 FD of %d samples, expected 2 or more", n)
	}
	coordinates, err := p.project(ctx, samples, workers)
	if err != nil {
		return 0, err
	}
	return metric.Uncorrelated(p.variances).Frechet(metric.NewGaussian(coordinates))
}

// projection is the coordinates of rows in the components, and the scratch to compute them.
type projection struct {
	*PCA
	out       *mat.Dense    // n x K
	block     []float32     // rows of one block
	idx       []int         // their indices
	halves    []float32     // 2 D K: the components in float32, and the remainders
	high, low []blas.Factor // the same, by chunks of values
	pieces    pool.Scratch[[]float32]
}

// newProjection returns a projection of n rows of dim values on k components, to be set by bind.
func newProjection(a *memory.Arena, n, dim, k int, workers *pool.Pool) *projection {
	most := rowsAtATime(n, dim)
	return &projection{
		out: dense(a, n, k), block: floats32(a, most, dim), idx: a.Ints(memory.Activations, most),
		halves: floats32(a, 2, dim, k), high: newFactors(a, dim, k), low: newFactors(a, dim, k),
		pieces: pool.NewScratch(workers, func() []float32 { return floats32(a, pieceRows, k) }),
	}
}

// bind lays the components out for products.
func (j *projection) bind(p *PCA, workers *pool.Pool) {
	j.PCA = p
	dim, k := len(p.mean), p.K()
	high, low := blas.Dense(j.halves, dim, k), blas.Dense(j.halves[dim*k:], dim, k)
	pool.Each(workers, len(j.high), func(i int) {
		lo, hi := i*chunkCols, min((i+1)*chunkCols, dim)
		halve(p.components.RawMatrix().Data[lo*k:hi*k], high.Data[lo*k:], low.Data[lo*k:])
		j.high[i].Set(blas.N, rowsOf(high, lo, hi))
		j.low[i].Set(blas.N, rowsOf(low, lo, hi))
	})
}

// project returns the samples' coordinates, n x K; those of the training mean are 0.
// Products are in float32 with the components as sums of two float32 numbers; sums of chunks are in
// float64.
func (p *PCA) project(
	ctx context.Context, samples data.Rows, workers *pool.Pool,
) (*mat.Dense, error) {
	dim, k := len(p.mean), p.K()
	j := newProjection(nil, samples.Len(), dim, k, workers)
	j.bind(p, workers)
	var bad error
	err := j.eachBlock(ctx, samples, func(block []float32, lo, n int) {
		if i := kernel.NotFinite(block); i >= 0 && bad == nil {
			bad = fmt.Errorf("pca: PCA-64 FD: sample %d holds %v", lo+i/dim, block[i])
		}
		pool.Each(workers, pool.Pieces(n, pieceRows), func(i int) {
			from, to := i*pieceRows, min((i+1)*pieceRows, n)
			j.coordinates(block[from*dim:to*dim], j.out.RawMatrix().Data[(lo+from)*k:(lo+to)*k])
		})
	})
	if err == nil {
		err = bad
	}
	return j.out, err
}

// coordinates sets to to the coordinates of the rows, which it overwrites.
func (j *projection) coordinates(rows []float32, to []float64) {
	dim, k := len(j.mean), j.K()
	n := len(rows) / dim
	for i := range n {
		row := rows[i*dim : (i+1)*dim]
		for c, v := range row {
			if j.bounded {
				v = min(1, max(-1, v))
			}
			row[c] = float32(float64(v) - j.mean[c])
		}
	}
	j.pieces.Use(func(scratch []float32) {
		projectOn(blas.Dense(rows, n, dim), j.high, j.low, to, blas.Dense(scratch, n, k))
	})
}

// eachBlock calls f with consecutive blocks of n rows, the first of them number lo; f may overwrite
// a block.
func (j *projection) eachBlock(
	ctx context.Context, rows data.Rows, f func(block []float32, lo, n int),
) error {
	dim, most := len(j.mean), len(j.idx)
	for lo := 0; lo < rows.Len(); lo += most {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(most, rows.Len()-lo)
		for i := range n {
			j.idx[i] = lo + i
		}
		rows.Gather(j.block[:n*dim], j.idx[:n])
		f(j.block[:n*dim], lo, n)
	}
	return ctx.Err()
}

// Features returns the images' coordinates in the principal components, relative to the mean of the
// training images. Values are clamped as by Distance; those that are not finite are errors. Rows,
// pool and ctx are used as there.
func (p *PCA) Features(
	ctx context.Context, rows data.Rows, workers *pool.Pool,
) (*metric.Features, error) {
	coordinates, err := p.project(ctx, rows, workers)
	if err != nil {
		return nil, err
	}
	out := metric.NewFeatures(make([]float32, rows.Len()*p.K()), rows.Len(), p.K())
	for i, v := range coordinates.RawMatrix().Data {
		out.X[i] = float32(v)
	}
	return out, nil
}
