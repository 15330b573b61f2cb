package pca

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
)

// Distance is the PCA-64 FD of samples (rows of D values, clamped to [-1, 1] here) from the
// training images: with means a, b and covariances A, B in the leading components,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}).
//
// It is 0 for the training images themselves. Two finite sets of the same distribution are some way
// apart, too: compare distances at equal n. Fewer than two samples and values that are not finite
// are errors. The samples are gathered in blocks, each once, by the caller's goroutine; what else
// there is to do is done on the pool (nil: by the caller). It ends with ctx's error soon after ctx
// ends.
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

// projector is the components as factors of products.
type projector struct {
	*PCA
	high, low []blas.Factor // by chunks of values: the components in float32, and what that leaves
	pieces    pool.Scratch[[]float32]
}

func (p *PCA) projector(workers *pool.Pool) *projector {
	dim, k := len(p.mean), p.K()
	n := pool.Pieces(dim, chunkCols)
	j := &projector{PCA: p, high: make([]blas.Factor, n), low: make([]blas.Factor, n)}
	j.pieces = pool.NewScratch(workers, func() []float32 { return make([]float32, pieceRows*k) })
	pool.Each(workers, n, func(i int) {
		lo, hi := i*chunkCols, min((i+1)*chunkCols, dim)
		high, low := make([]float32, (hi-lo)*k), make([]float32, (hi-lo)*k)
		halve(p.components.RawMatrix().Data[lo*k:hi*k], high, low)
		j.high[i].Set(blas.N, blas.Dense(high, hi-lo, k))
		j.low[i].Set(blas.N, blas.Dense(low, hi-lo, k))
	})
	return j
}

// project returns the clamped samples' coordinates, n x K; those of the training mean are 0.
// Products are in float32, with the components as float64 holds them, and sums of chunks in
// float64.
func (p *PCA) project(
	ctx context.Context, samples data.Rows, workers *pool.Pool,
) (*mat.Dense, error) {
	dim, k := len(p.mean), p.K()
	out := mat.NewDense(samples.Len(), k, nil)
	with := p.projector(workers)
	var bad error
	err := eachBlock(ctx, samples, dim, func(block []float32, lo, n int) {
		if i := kernel.NotFinite(block); i >= 0 && bad == nil {
			bad = fmt.Errorf("pca: PCA-64 FD: sample %d holds %v", lo+i/dim, block[i])
		}
		pool.Each(workers, pool.Pieces(n, pieceRows), func(i int) {
			from, to := i*pieceRows, min((i+1)*pieceRows, n)
			with.coordinates(block[from*dim:to*dim], out.RawMatrix().Data[(lo+from)*k:(lo+to)*k])
		})
	})
	if err == nil {
		err = bad
	}
	return out, err
}

// coordinates overwrites the rows.
func (j *projector) coordinates(rows []float32, to []float64) {
	dim, k := len(j.mean), j.K()
	n := len(rows) / dim
	for i := range n {
		row := rows[i*dim : (i+1)*dim]
		for c, v := range row {
			row[c] = float32(min(1, max(-1, float64(v))) - j.mean[c])
		}
	}
	j.pieces.Use(func(room []float32) {
		projectOn(blas.Dense(rows, n, dim), j.high, j.low, to, blas.Dense(room, n, k))
	})
}

// eachBlock calls f with consecutive blocks of n rows, the first of them number lo. The blocks are
// f's to overwrite.
func eachBlock(
	ctx context.Context, rows data.Rows, dim int, f func(block []float32, lo, n int),
) error {
	most := rowsAtATime(rows.Len(), dim)
	block, idx := make([]float32, most*dim), make([]int, most)
	for lo := 0; lo < rows.Len(); lo += most {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(most, rows.Len()-lo)
		for i := range n {
			idx[i] = lo + i
		}
		rows.Gather(block[:n*dim], idx[:n])
		f(block[:n*dim], lo, n)
	}
	return ctx.Err()
}

// Features are the images' coordinates in the principal components, those of the mean of the
// training images 0. Values are clamped to [-1, 1]; those that are not finite are errors. Like
// Distance, it gathers rows by the caller, works on the pool, and ends soon after ctx.
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
