package pca

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	own "github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// find finds the components of many images of many values.
func (y *krylov) find() (*PCA, error) {
	found, err := y.search()
	if err != nil {
		return nil, err
	}
	for i := range y.a.dim {
		for j, e := range found.Data[i*found.Stride:][:y.k] {
			y.refined.v.Set(i, j, float64(e))
		}
	}
	y.a.narrow(y.k)
	return y.refined.run()
}

// gram finds the components of few images: from the eigenvectors U of their products with one
// another, x x^T, which are the coordinates of the components x^T U.
type gram struct {
	*images
	k            int
	xx           *mat.Dense // M x M
	other        []float32  // a second block, where the images do not fit the first
	tiles        pool.Scratch[[]float32]
	values, work []float64 // of the decomposition of xx
	p            *product
	refined      *refinement
}

func newGram(a *memory.Arena, x *images, k int) *gram {
	n := x.atATime
	g := &gram{
		images: x, k: k, xx: dense(a, x.m, x.m), p: newProduct(a, x, k, k),
		values: floats64(a, x.m), work: floats64(a, syevRows, x.m),
		tiles: pool.NewScratch(x.pool, func() []float32 { return floats32(a, pieceRows, n) }),
	}
	if n < x.m {
		g.other = floats32(a, n, x.dim)
	}
	g.refined = newRefinement(a, g.p, newTall(a, x.pool, x.dim, k, k), k, floats32(a, 2, x.dim, k))
	return g
}

func (g *gram) find() (*PCA, error) {
	if err := g.multiply(); err != nil {
		return nil, err
	}
	if err := eigen(g.xx, true, g.values, g.work); err != nil {
		return nil, err
	}
	p, k := g.p, g.k
	err := g.each(func(piece own.Matrix, lo int) {
		g.centred(piece)
		for i := range piece.Rows {
			for j := range k {
				p.onto[(lo+i)*k+j] = float32(g.xx.At(g.idx[lo+i], j))
			}
		}
	}, func(block own.Matrix, _ int) { p.back(block) })
	if err != nil {
		return nil, err
	}
	copy(g.refined.v.RawMatrix().Data, p.sums)
	p.narrow(k)
	return g.refined.run()
}

// multiply computes x x^T of the scaled images relative to their mean: products in float32, sums
// over chunks in float64.
func (g *gram) multiply() error {
	x, n := g.images, g.atATime
	x.begin()
	for lo := 0; lo < x.m; lo += n {
		a := x.read(x.block, lo, func(piece own.Matrix, _ int) { x.centred(piece) })
		for at := lo; at < x.m; at += n {
			if err := x.ctx.Err(); err != nil {
				return err
			}
			b := a
			if at > lo {
				b = x.read(g.other, at, func(piece own.Matrix, _ int) { x.centred(piece) })
			}
			pool.Each(x.pool, pool.Pieces(a.Rows, pieceRows), func(i int) {
				g.tiles.Use(func(scratch []float32) {
					g.products(a, b, lo, at, i*pieceRows, scratch)
				})
			})
		}
	}
	return nil
}

// products adds the products of some rows of a with the rows of b to x x^T.
func (g *gram) products(a, b own.Matrix, lo, at, first int, scratch []float32) {
	rows := rowsOf(a, first, min(first+pieceRows, a.Rows))
	tile := own.Dense(scratch, rows.Rows, b.Rows)
	for j := 0; j < g.dim; j += chunkCols {
		end := min(j+chunkCols, g.dim)
		own.Default().Gemm(own.N, own.T, 1, rows.Slice(j, end).Left(), b.Slice(j, end), 0, tile)
		for r := range tile.Rows {
			sum := g.xx.RawRowView(lo + first + r)[at:]
			for c, v := range tile.Data[r*tile.Stride:][:tile.Cols] {
				sum[c] += float64(v)
			}
		}
	}
}

// covarianceTile is the number of rows of the covariance that one task sums.
const covarianceTile = 32

// covariance finds the components of images of few values, all in float64.
type covariance struct {
	*images
	k            int
	cov          *mat.Dense // D x D
	about64      []float64  // a block about the mean
	values, work []float64  // of the decomposition of cov
	components   *mat.Dense // D x k
}

func newCovariance(a *memory.Arena, x *images, k int) *covariance {
	return &covariance{
		images: x, k: k, cov: dense(a, x.dim, x.dim), about64: floats64(a, x.atATime, x.dim),
		values: floats64(a, x.dim), work: floats64(a, syevRows, x.dim),
		components: dense(a, x.dim, k),
	}
}

func (c *covariance) find() (*PCA, error) {
	x, cov, centred := c.images, c.cov, c.about64
	scale := 1 / float64(x.m-1)
	err := x.each(func(piece own.Matrix, lo int) {
		for i, v := range piece.Data {
			centred[lo*x.dim+i] = float64(v) - x.mean[i%x.dim]
		}
	}, func(block own.Matrix, _ int) {
		pool.Each(x.pool, pool.Pieces(x.dim, covarianceTile), func(i int) {
			lo, hi := i*covarianceTile, min((i+1)*covarianceTile, x.dim)
			columns := func(lo, hi int) blas64.General {
				return blas64.General{
					Rows: block.Rows, Cols: hi - lo, Stride: x.dim, Data: centred[lo:],
				}
			}
			to := blas64.General{
				Rows: hi - lo, Cols: x.dim - lo, Stride: x.dim,
				Data: cov.RawMatrix().Data[lo*x.dim+lo:],
			}
			blas64.Gemm(blas.Trans, blas.NoTrans, scale, columns(lo, hi), columns(lo, x.dim), 1, to)
		})
	})
	if err != nil {
		return nil, err
	}
	if err := eigen(cov, true, c.values, c.work); err != nil {
		return nil, err
	}
	c.components.Copy(cov.Slice(0, x.dim, 0, c.k))
	return x.newPCA(c.components, c.values[:c.k:c.k], 0), nil
}
