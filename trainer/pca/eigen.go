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

// syevRows is the scratch memory of LAPACK's xSYEV in rows of its matrix: a block, and two.
const syevRows = 34

// eigen sets values to the eigenvalues, in descending order, of the symmetric n x n matrix a, of
// which it reads the upper triangle; with vectors it replaces a by the eigenvectors, as columns.
// work must have syevRows n numbers.
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
