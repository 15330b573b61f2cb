package metric

import "github.com/plume-ml/plume/trainer/memory"

// GaussianBytes is the memory that NewGaussian needs for n rows of k numbers, besides the rows: a
// block of them, the covariance, and its decomposition.
func GaussianBytes(n, k int) int64 {
	if n <= k {
		return 0
	}
	return memory.Array[float64](min(squareRows, n), k) + memory.Array[float64](2, k, k)
}

// blockAndTwo is the scratch of LAPACK's decompositions, in rows or columns of the matrix.
const blockAndTwo = 34

// FrechetBytes is the memory of the Fréchet distance between Gaussians of n and m rows of k
// numbers: their roots, the roots' product, and its decomposition, which works in blocks of rows
// and columns (LAPACK's xGEBRD).
func FrechetBytes(n, m, k int) int64 {
	var roots int64
	for _, rows := range []int{n, m} {
		if rows > k { // else the rows themselves
			roots += memory.Array[float64](k, k)
		}
	}
	rows, cols := min(n, k), min(m, k)
	product, scratch := memory.Array[float64](2, rows, cols), (rows+cols)*blockAndTwo
	return roots + product + memory.Array[float64](scratch)
}
