package pca

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// product is A v for some vectors v, with A = x^T x / (M - 1) the covariance of the scaled images,
// in one pass over them. Products are in float32; sums of chunks of values, and of blocks of
// images, are in float64.
type product struct {
	*images
	cols    int
	factors []blas.Factor // the vectors, by chunks of values
	fine    []blas.Factor // their remainders beyond float32; may be nil
	onto    []float32     // x v of a block, rows x cols
	exact   []float64     // the same
	sums    []float64     // D x cols
	pieces  pool.Scratch[[]float32]

	narrowed []blas.Factor // becomes fine in narrow
}

// newProduct returns a product with cols vectors at a time, given in float32, and after narrow with
// k vectors, given as sums of two float32 numbers.
func newProduct(a *memory.Arena, x *images, cols, k int) *product {
	return &product{
		images: x, cols: cols, factors: newFactors(a, x.dim, cols),
		narrowed: newFactors(a, x.dim, k),
		onto:     floats32(a, x.atATime, cols), exact: floats64(a, x.atATime, cols),
		sums: floats64(a, x.dim, cols),
		pieces: pool.NewScratch(x.pool, func() []float32 {
			return floats32(a, max(pieceRows, tileValues), cols)
		}),
	}
}

// newFactors returns factors for cols vectors of dim values, one for each chunk of values.
func newFactors(a *memory.Arena, dim, cols int) []blas.Factor {
	factors := make([]blas.Factor, pool.Pieces(dim, chunkCols))
	for i := range factors {
		rows := min(chunkCols, dim-i*chunkCols)
		factors[i].Reserve(rows, cols, func(n int) []float32 { return floats32(a, n) })
	}
	return factors
}

// narrow reduces the number of vectors to k, from now on given as sums of two float32 numbers.
func (p *product) narrow(k int) { p.cols, p.fine = k, p.narrowed }

// set sets the vectors, D x cols, to v + fine.
func (p *product) set(v, fine blas.Matrix) {
	pool.Each(p.pool, len(p.factors), func(i int) {
		lo, hi := i*chunkCols, min((i+1)*chunkCols, p.dim)
		p.factors[i].Set(blas.N, rowsOf(v, lo, hi))
		if p.fine != nil {
			p.fine[i].Set(blas.N, rowsOf(fine, lo, hi))
		}
	})
}

// run makes a pass over the images. For each block it calls see, which may be nil, with x v, rows x
// cols.
func (p *product) run(see func(onto []float64)) error {
	clear(p.sums[:p.dim*p.cols])
	return p.each(func(piece blas.Matrix, lo int) {
		p.centred(piece)
		at := lo * p.cols
		p.project(piece, p.exact[at:at+piece.Rows*p.cols], p.onto[at:])
	}, func(block blas.Matrix, _ int) {
		p.back(block)
		if see != nil {
			see(p.exact[:block.Rows*p.cols])
		}
	})
}

// project sets sum and, rounded, onto to the products of the rows with the vectors.
func (p *product) project(rows blas.Matrix, sum []float64, onto []float32) {
	p.pieces.Use(func(scratch []float32) {
		projectOn(rows, p.factors, p.fine, sum, blas.Dense(scratch, rows.Rows, p.cols))
	})
	for i, v := range sum {
		onto[i] = float32(v)
	}
}

// projectOn sets sum to the products of rows with vectors that are given by chunks of values.
func projectOn(rows blas.Matrix, factors, fine []blas.Factor, sum []float64, scratch blas.Matrix) {
	clear(sum)
	add := func(f *blas.Factor, i int) {
		piece := rows.Slice(i*chunkCols, min((i+1)*chunkCols, rows.Cols))
		f.Mul(piece.Left(), nil, scratch)
		for j, v := range scratch.Data {
			sum[j] += float64(v)
		}
	}
	for i := range factors {
		add(&factors[i], i)
		if fine != nil {
			add(&fine[i], i)
		}
	}
}

// back adds block^T onto to the sums.
func (p *product) back(block blas.Matrix) {
	onto := blas.Dense(p.onto, block.Rows, p.cols)
	p.columns(func(lo, hi int) {
		p.pieces.Use(func(scratch []float32) {
			tile := blas.Dense(scratch, hi-lo, p.cols)
			blas.Default().Gemm(blas.T, blas.N, 1, block.Slice(lo, hi).Left(), onto, 0, tile)
			for i, v := range tile.Data {
				p.sums[lo*p.cols+i] += float64(v)
			}
		})
	})
}
