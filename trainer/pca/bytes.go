package pca

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/metric"
)

// Bytes is the memory that a PCA of k components of dim values holds.
func Bytes(dim, k int) int64 {
	return memory.Array[float64](dim, k+1) + memory.Array[float64](k)
}

// FitBytes is the memory in which Fit works for k components of m images, beside the PCA. Each
// worker takes some more, less than 1 MiB for 64 components.
func FitBytes(m, dim, k int) int64 {
	rows := rowsAtATime(m, dim)
	block := memory.Array[float32](rows, dim)
	bytes := block + memory.Array[int](rows) + memory.Array[float32](dim) + memory.Array[float64](dim)
	k = max(1, min(k, dim, m-1))
	switch {
	case dim <= denseSize(k):
		return bytes + memory.Array[float64](dim, dim+syevRows+1) + 2*block
	case m <= denseSize(k):
		if rows < m {
			bytes += block
		}
		return bytes + memory.Array[float64](m, m+syevRows+1) + productBytes(rows, dim, k, 2) +
			tallBytes(dim, k, k) + memory.Array[float32](dim, 2*k) + refinementBytes(k)
	}
	return bytes + krylovBytes(rows, dim, k) + refinementBytes(k)
}

// krylovBytes is the memory of a search for k components: more than half of it is the basis.
func krylovBytes(rows, dim, k int) int64 {
	b, most := blockSize(k), basisSize(dim, k)
	small := memory.Array[float64](most, 2*most+syevRows+2*b+1) +
		memory.Array[float32](most, most) + memory.Array[float64](4*b, b)
	return productBytes(rows, dim, b, 1) + blas.Default().FactorBytes(dim, k) + // what is fine, when they are refined
		tallBytes(dim, most, b) + memory.Array[float32](dim, most+b) + small + passBytes
}

// passBytes is about what dozens of passes make of what is too small to be kept.
const passBytes = 1 << 16

// productBytes is the memory of products with cols vectors, each in so many float32 numbers.
func productBytes(rows, dim, cols, numbers int) int64 {
	return int64(numbers)*blas.Default().FactorBytes(dim, cols) + memory.Array[float64](dim, cols) +
		memory.Array[float32](rows, cols) + memory.Array[float64](rows, cols) +
		memory.Array[float32](tileValues, cols)
}

func tallBytes(dim, most, few int) int64 {
	return memory.Array[float64](tallParts(dim), most, few) +
		memory.Array[float32](max(few, tallRows), most)
}

func refinementBytes(k int) int64 { return memory.Array[float64](k, 2*k+syevRows+1+tallRows) }

// DistanceBytes is the memory in which PCA.Distance works with n samples: a block of images, the
// components as factors, and the samples' coordinates.
func DistanceBytes(n, dim, k int) int64 {
	rows := rowsAtATime(n, dim)
	return memory.Array[float64](n, k) + memory.Array[float32](rows, dim) + memory.Array[int](rows) +
		memory.Array[float32](2*dim, k) + 2*blas.Default().FactorBytes(dim, k) +
		metric.GaussianBytes(n, k) + metric.FrechetBytes(n, k, k)
}
