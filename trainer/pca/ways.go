package pca

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	own "github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// pcaOfKrylov finds the components of many images of many values.
func (x *images) pcaOfKrylov(k int) (*PCA, error) {
	y := newKrylov(x, k)
	found, err := y.find()
	if err != nil {
		return nil, err
	}
	v := mat.NewDense(x.dim, k, nil)
	for i := range x.dim {
		for j, e := range found.Data[i*found.Stride:][:k] {
			v.Set(i, j, float64(e))
		}
	}
	y.a.narrow(k)
	return newRefinement(y.a, y.t, v, y.q.Data).run()
}

// pcaOfGram finds those of few images: from the eigenvectors U of their products with one another,
// x x^T, which are the coordinates of the components x^T U.
func (x *images) pcaOfGram(k int) (*PCA, error) {
	gram, err := x.gram()
	if err != nil {
		return nil, err
	}
	if err := eigen(gram, true, make([]float64, x.m), make([]float64, syevRows*x.m)); err != nil {
		return nil, err
	}
	p := newProduct(x, k, true)
	err = x.each(func(piece own.Matrix, lo int) {
		x.centred(piece)
		for i := range piece.Rows {
			for j := range k {
				p.onto[(lo+i)*k+j] = float32(gram.At(x.idx[lo+i], j))
			}
		}
	}, func(block own.Matrix, _ int) { p.back(block) })
	if err != nil {
		return nil, err
	}
	v := mat.NewDense(x.dim, k, nil)
	copy(v.RawMatrix().Data, p.sums)
	return newRefinement(p, newTall(x.pool, x.dim, k, k), v, make([]float32, 2*x.dim*k)).run()
}

// gram is x x^T, of the scaled images about their mean: products in float32, sums of chunks in
// float64.
func (x *images) gram() (*mat.Dense, error) {
	g := mat.NewDense(x.m, x.m, nil)
	n := len(x.idx)
	var other []float32
	if n < x.m {
		other = make([]float32, len(x.block))
	}
	tiles := pool.NewScratch(x.pool, func() []float32 { return make([]float32, pieceRows*n) })
	x.begin()
	for lo := 0; lo < x.m; lo += n {
		a := x.read(x.block, lo, func(piece own.Matrix, _ int) { x.centred(piece) })
		for at := lo; at < x.m; at += n {
			if err := x.ctx.Err(); err != nil {
				return nil, err
			}
			b := a
			if at > lo {
				b = x.read(other, at, func(piece own.Matrix, _ int) { x.centred(piece) })
			}
			pool.Each(x.pool, pool.Pieces(a.Rows, pieceRows), func(i int) {
				tiles.Use(func(room []float32) { x.products(g, a, b, lo, at, i*pieceRows, room) })
			})
		}
	}
	return g, nil
}

// products adds those of some rows of a with the rows of b to g.
func (x *images) products(g *mat.Dense, a, b own.Matrix, lo, at, first int, room []float32) {
	rows := rowsOf(a, first, min(first+pieceRows, a.Rows))
	tile := own.Dense(room, rows.Rows, b.Rows)
	for j := 0; j < x.dim; j += chunkCols {
		end := min(j+chunkCols, x.dim)
		own.Default().Gemm(own.N, own.T, 1, rows.Slice(j, end), b.Slice(j, end), 0, tile)
		for r := range tile.Rows {
			sum := g.RawRowView(lo + first + r)[at:]
			for c, v := range tile.Data[r*tile.Stride:][:tile.Cols] {
				sum[c] += float64(v)
			}
		}
	}
}

// covarianceTile is how many rows of the covariance one task sums.
const covarianceTile = 32

// pcaOfCovariance finds those of images of few values, all in float64.
func (x *images) pcaOfCovariance(k int) (*PCA, error) {
	cov := mat.NewDense(x.dim, x.dim, nil)
	centred := make([]float64, len(x.block))
	scale := 1 / float64(x.m-1)
	err := x.each(func(piece own.Matrix, lo int) {
		for i, v := range piece.Data {
			centred[lo*x.dim+i] = float64(v) - x.mean[i%x.dim]
		}
	}, func(block own.Matrix, _ int) {
		pool.Each(x.pool, pool.Pieces(x.dim, covarianceTile), func(i int) {
			lo, hi := i*covarianceTile, min((i+1)*covarianceTile, x.dim)
			columns := func(lo, hi int) blas64.General {
				return blas64.General{Rows: block.Rows, Cols: hi - lo, Stride: x.dim, Data: centred[lo:]}
			}
			to := blas64.General{
				Rows: hi - lo, Cols: x.dim - lo, Stride: x.dim, Data: cov.RawMatrix().Data[lo*x.dim+lo:],
			}
			blas64.Gemm(blas.Trans, blas.NoTrans, scale, columns(lo, hi), columns(lo, x.dim), 1, to)
		})
	})
	if err != nil {
		return nil, err
	}
	values := make([]float64, x.dim)
	if err := eigen(cov, true, values, make([]float64, syevRows*x.dim)); err != nil {
		return nil, err
	}
	components := mat.NewDense(x.dim, k, nil)
	components.Copy(cov.Slice(0, x.dim, 0, k))
	return x.newPCA(components, values[:k:k], 0), nil
}
