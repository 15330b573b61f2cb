package metric

import (
	"context"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// Inner products of the rows of two sets are computed a tile at a time, in float32; a task computes
// the tiles of tileRows rows of the first set, from left to right.

const (
	tileRows = 128
	tileCols = 512
)

// products calls f for the rows lo to hi (exclusive) of each piece of n, with scratch memory for a
// tile of products. It ends with ctx's error soon after ctx ends.
func products(
	ctx context.Context, p *pool.Pool, n int, f func(lo, hi int, scratch []float32),
) error {
	tiles := pool.NewScratch(p, func() []float32 { return make([]float32, tileRows*tileCols) })
	return runUntil(ctx, p, pool.Pieces(n, tileRows), func(i int) {
		tiles.Use(func(scratch []float32) { f(i*tileRows, min((i+1)*tileRows, n), scratch) })
	})
}

// eachTile calls f with the products of the rows lo to hi of a with all rows of b, tile by tile:
// row i of a tile holds the products of row lo+i of a with the rows of b from j on. It stops when
// ctx ends.
func eachTile(
	ctx context.Context, a, b *Features, lo, hi int, scratch []float32,
	f func(tile blas.Matrix, j int),
) {
	left := blas.Dense(a.Rows(lo, hi).X, hi-lo, a.K)
	for j := 0; j < b.N && ctx.Err() == nil; j += tileCols {
		end := min(j+tileCols, b.N)
		tile := blas.Dense(scratch, hi-lo, end-j)
		right := blas.Dense(b.Rows(j, end).X, end-j, b.K)
		blas.Default().Gemm(blas.N, blas.T, 1, left.Left(), right, 0, tile)
		f(tile, j)
	}
}

// tileRow returns row i of a tile.
func tileRow(tile blas.Matrix, i int) []float32 { return tile.Data[i*tile.Stride:][:tile.Cols] }

// squareNorms returns the squared lengths of the rows.
func squareNorms(f *Features) []float64 {
	out := make([]float64, f.N)
	for i := range out {
		for _, v := range f.Row(i) {
			out[i] += float64(v) * float64(v)
		}
	}
	return out
}

// runUntil runs n tasks on the pool, but none after ctx has ended: then it returns ctx's error, and
// the results of the tasks are incomplete.
func runUntil(ctx context.Context, p *pool.Pool, n int, task func(i int)) error {
	pool.Each(p, n, func(i int) {
		if ctx.Err() == nil {
			task(i)
		}
	})
	return ctx.Err()
}
