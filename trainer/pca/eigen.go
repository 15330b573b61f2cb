package pca

import (
	"errors"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

var errEigen = errors.New("pca: the eigenvalues of a symmetric matrix did not converge")

// syevRows is how many rows of the matrix its decomposition works in: LAPACK's block and two.
const syevRows = 34

// eigen finds the eigenvalues of the symmetric n x n matrix a, of which the upper half is read, in
// descending order, and if asked for the eigenvectors, which take the place of a as columns. It
// works in syevRows n numbers.
func eigen(a *mat.Dense, vectors bool, values, work []float64) error {
	raw := a.RawMatrix()
	n, job := raw.Rows, lapack.EVNone
	if vectors {
		job = lapack.EVCompute
	}
	sym := blas64.Symmetric{N: n, Stride: raw.Stride, Data: raw.Data, Uplo: blas.Upper}
	if !lapack64.Syev(job, sym, values[:n], work, syevRows*n) {
		return errEigen
	}
	slices.Reverse(values[:n])
	for i := 0; vectors && i < n; i++ {
		slices.Reverse(a.RawRowView(i))
	}
	return nil
}
