package metric

import "github.com/plume-ml/plume/trainer/memory"

// GaussianBytes is what a gaussian of n rows is made in, beside the rows: a block of them, the
// covariance, and its decomposition.
func GaussianBytes(n, k int) int64 {
	if n <= k {
		return 0
	}
	return memory.Array[float64](min(squareRows, n), k) + memory.Array[float64](2, k, k)
}

// blockAndTwo is how many rows or columns of a matrix LAPACK's decompositions work in.
const blockAndTwo = 34

// FrechetBytes is the memory of the roots of two gaussians, of their product, and of its
// decomposition, which works in blocks of rows and columns (LAPACK's xGEBRD).
func FrechetBytes(n, m, k int) int64 {
	var roots int64
	for _, rows := range []int{n, m} {
		if rows > k { // else the rows themselves
			roots += memory.Array[float64](k, k)
		}
	}
	rows, cols := min(n, k), min(m, k)
	return roots + memory.Array[float64](2, rows, cols) + memory.Array[float64](rows+cols,
		blockAndTwo)
}
