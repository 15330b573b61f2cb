package pca

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	own "github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// tall multiplies matrices with D rows and few columns. The rows are cut into parts, one task each,
// in a way that depends on D alone; sums over rows are in float64, part by part.
type tall struct {
	pool  *pool.Pool
	dim   int
	parts int
	sums  []float64 // a matrix of each part
	tiles pool.Scratch[[]float32]
}

const (
	maxParts = 64
	tallRows = 128 // of a tile
)

func tallParts(dim int) int { return min(maxParts, pool.Pieces(dim, 2*chunkCols)) }

// newTall is for matrices of up to most columns whose products have up to most x few numbers.
func newTall(a *memory.Arena, p *pool.Pool, dim, most, few int) *tall {
	parts := tallParts(dim)
	return &tall{
		pool: p, dim: dim, parts: parts, sums: floats64(a, parts, most, few),
		tiles: pool.NewScratch(p, func() []float32 {
			return floats32(a, max(few, tallRows), most)
		}),
	}
}

// each calls f for the tiles of rows, lo to hi (exclusive), of each part, in order.
func (t *tall) each(rows int, f func(part, lo, hi int, scratch []float32)) {
	pool.Each(t.pool, t.parts, func(part int) {
		from, to := pool.Span(t.dim, t.parts, part)
		t.tiles.Use(func(scratch []float32) {
			for lo := from; lo < to; lo += rows {
				f(part, lo, min(lo+rows, to), scratch)
			}
		})
	})
}

// rowsOf returns the rows lo to hi (exclusive) of m.
func rowsOf(m own.Matrix, lo, hi int) own.Matrix {
	return own.Matrix{Rows: hi - lo, Cols: m.Cols, Stride: m.Stride, Data: m.Data[lo*m.Stride:]}
}

// inner sets to to a^T b, summed over chunks of rows in float32 and over chunks in float64.
func (t *tall) inner(to *mat.Dense, a, b own.Matrix) {
	size := a.Cols * b.Cols
	clear(t.sums[:t.parts*size])
	t.each(chunkCols, func(part, lo, hi int, scratch []float32) {
		product := own.Dense(scratch, a.Cols, b.Cols)
		own.Default().Gemm(own.T, own.N, 1, rowsOf(a, lo, hi).Left(), rowsOf(b, lo, hi), 0, product)
		sum := t.sums[part*size : (part+1)*size]
		for i, v := range product.Data {
			sum[i] += float64(v)
		}
	})
	t.gather(to, a.Cols, b.Cols)
}

// gather sets to to the sum over the parts.
func (t *tall) gather(to *mat.Dense, rows, cols int) {
	to.Zero()
	for part := range t.parts {
		sum := t.sums[part*rows*cols:]
		for i := range rows {
			row := to.RawRowView(i)
			for j := range cols {
				row[j] += sum[i*cols+j]
			}
		}
	}
}

// subtract is w -= a c.
func (t *tall) subtract(w, a own.Matrix, c own.Matrix) {
	t.each(tallRows, func(_, lo, hi int, _ []float32) {
		own.Default().Gemm(own.N, own.N, -1, rowsOf(a, lo, hi).Left(), c, 1, rowsOf(w, lo, hi))
	})
}

// multiply sets to to a s; to may be the first columns of a.
func (t *tall) multiply(to, a, s own.Matrix) {
	t.each(tallRows, func(_, lo, hi int, scratch []float32) {
		product := own.Dense(scratch, hi-lo, s.Cols)
		own.Default().Gemm(own.N, own.N, 1, rowsOf(a, lo, hi).Left(), s, 0, product)
		for i := range product.Rows {
			copy(to.Data[(lo+i)*to.Stride:][:s.Cols], product.Data[i*product.Stride:])
		}
	})
}

// floats returns m in float32, stored in scratch.
func floats(m mat.RawMatrixer, scratch []float32) own.Matrix {
	raw := m.RawMatrix()
	out := own.Dense(scratch, raw.Rows, raw.Cols)
	for i := range raw.Rows {
		for j, v := range raw.Data[i*raw.Stride:][:raw.Cols] {
			out.Data[i*out.Stride+j] = float32(v)
		}
	}
	return out
}

// The same in float64, for the last steps.

func rows64(m *mat.Dense, lo, hi int) blas64.General {
	raw := m.RawMatrix()
	return blas64.General{
		Rows: hi - lo, Cols: raw.Cols, Stride: raw.Stride, Data: raw.Data[lo*raw.Stride:],
	}
}

// gram64 sets to to a^T a.
func (t *tall) gram64(to *mat.Dense, a *mat.Dense) {
	_, k := a.Dims()
	clear(t.sums[:t.parts*k*k])
	t.each(tallRows, func(part, lo, hi int, _ []float32) {
		sum := blas64.General{Rows: k, Cols: k, Stride: k, Data: t.sums[part*k*k:]}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, rows64(a, lo, hi), rows64(a, lo, hi), 1, sum)
	})
	t.gather(to, k, k)
}

// multiply64 is a = a s; scratch has a tile of rows for each worker.
func (t *tall) multiply64(a, s *mat.Dense, scratch pool.Scratch[[]float64]) {
	_, k := a.Dims()
	t.each(tallRows, func(_, lo, hi int, _ []float32) {
		scratch.Use(func(tile []float64) {
			product := blas64.General{Rows: hi - lo, Cols: k, Stride: k, Data: tile}
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, rows64(a, lo, hi), s.RawMatrix(), 0, product)
			copy(a.RawMatrix().Data[lo*k:hi*k], tile)
		})
	})
}
