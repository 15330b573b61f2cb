// Package blas is the matrix products of plume: row-major float32, each call on one thread. It is
// the only package that uses cgo.
//
// A [Backend] computes them. A build has up to three: native, our own products over the tiles of
// package kernel; openblas, OpenBLAS through gonum's netlib, in builds with the tag openblas and
// cgo, and not called before it is chosen; gonum, in pure Go. Which one is a choice of each
// [Factor] and each product, so that one process may use several; there is a default for those who
// do not choose. The left factor of a product may be the patches of pictures ([Patches]), so that
// convolutions are products too. Callers run many products at once from their own goroutines, so
// OpenBLAS is held to one thread.
package blas

import "gonum.org/v1/gonum/blas"

// Matrix is a view of Rows x Cols float32, row i starting at Data[i*Stride].
type Matrix struct {
	Rows, Cols int
	Stride     int
	Data       []float32
}

// Dense is the matrix of rows x cols that fills data.
func Dense(data []float32, rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Stride: max(cols, 1), Data: data[:rows*cols]}
}

// Slice is the view of columns lo to hi (exclusive).
func (m Matrix) Slice(lo, hi int) Matrix {
	return Matrix{
		Rows: m.Rows, Cols: hi - lo, Stride: m.Stride, Data: m.Data[min(lo, len(m.Data)):],
	}
}

// rows is the view of rows lo to hi (exclusive).
func (m Matrix) rows(lo, hi int) Matrix {
	m.Rows, m.Data = hi-lo, m.Data[min(lo*m.Stride, len(m.Data)):]
	return m
}

func (m Matrix) valid() bool {
	return m.Rows >= 0 && m.Cols >= 0 && m.Stride >= max(m.Cols, 1) &&
		(m.Rows == 0 || m.Cols == 0 || len(m.Data) >= (m.Rows-1)*m.Stride+m.Cols)
}

// scale is m = beta m: all that is left of a product over nothing, or times 0.
func (m Matrix) scale(beta float32) {
	for i := range m.Rows {
		row := m.Data[i*m.Stride:][:m.Cols]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

// Trans says whether a factor is used as it is or transposed.
type Trans bool

// The two values of Trans.
const (
	N Trans = false // as it is
	T Trans = true  // transposed
)

func (t Trans) flag() blas.Transpose {
	if t {
		return blas.Trans
	}
	return blas.NoTrans
}

// shape is the shape of op(m).
func (t Trans) shape(m Matrix) (rows, cols int) {
	if t {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

const errShape = "blas: shapes do not match"

// Gemm is c = alpha op(left) op(right) + beta c. With beta = 0, what c held before is not read, so
// that NaN in it does no harm; with alpha = 0, left and right are not.
func (b *Backend) Gemm(
	tl, tr Trans, alpha float32, left Left, right Matrix, beta float32, c Matrix,
) {
	m, k := tl.shape(left.m)
	kr, n := tr.shape(right)
	if k != kr || c.Rows != m || c.Cols != n || !left.valid() || !right.valid() || !c.valid() {
		panic(errShape)
	}
	if m == 0 || n == 0 {
		return
	}
	if k == 0 || alpha == 0 { // the backends refuse the one, and some read the factors at the other
		c.scale(beta)
		return
	}
	switch {
	case b.order != nil:
		b.order.product(tl, tr, alpha, left, right, beta, c)
	case left.gathered():
		b.gathered(tl, tr, alpha, left, right, beta, c)
	default:
		b.sgemm(tl, tr, alpha, left.m, right, beta, c)
	}
}

func (b *Backend) sgemm(tl, tr Trans, alpha float32, left, right Matrix, beta float32, c Matrix) {
	_, k := tl.shape(left)
	b.routines.Sgemm(tl.flag(), tr.flag(), c.Rows, c.Cols, k,
		alpha, left.Data, left.Stride, right.Data, right.Stride, beta, c.Data, c.Stride)
}

// gatheredRows is how many patches are gathered at a time for a library. It shows in the bits of
// products of transposed patches, whose sums go on from one part to the next.
const gatheredRows = 256

// gathered is a product whose left factor is patches, by a library.
func (b *Backend) gathered(
	tl, tr Trans, alpha float32, left Left, right Matrix, beta float32, c Matrix,
) {
	w := takeWorkspace()
	defer w.release()
	for lo := 0; lo < left.m.Rows; lo += gatheredRows {
		hi := min(lo+gatheredRows, left.m.Rows)
		part := Dense(grow(&w.a, (hi-lo)*left.m.Cols), hi-lo, left.m.Cols)
		left.gather(block{part.Data, part.Stride}, lo, hi, 0, left.m.Cols)
		if !tl {
			b.sgemm(N, tr, alpha, part, right, beta, c.rows(lo, hi))
			continue
		}
		of := right.rows(lo, hi)
		if tr {
			of = right.Slice(lo, hi)
		}
		b.sgemm(T, tr, alpha, part, of, beta, c)
		beta = 1
	}
}
