package pca

import (
	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/metric"
)

// Bytes is the memory that a PCA of k components of dim values holds.
func Bytes(dim, k int) int64 {
	return memory.Array[float64](dim, k+1) + memory.Array[float64](k)
}

// FitBytes is the memory that Fit needs for k components of m images, besides the PCA: its arrays
// with one worker. Every other worker adds less than 1 MiB for 64 components.
func FitBytes(m, dim, k int) int64 {
	a := memory.Counting()
	newFit(a, m, dim, k, nil)
	return a.Total() - Bytes(dim, max(1, min(k, dim, m-1))) + passBytes
}

// FeatureBytes is the memory that PCA.Features needs for n rows and k components, with its result.
func FeatureBytes(n, dim, k int) int64 {
	a := memory.Counting()
	newProjection(a, n, dim, k, nil)
	return a.Total() + memory.Array[float32](n, k)
}

// passBytes is about the sum of the small allocations of dozens of passes.
const passBytes = 1 << 16

func floats32(a *memory.Arena, dims ...int) []float32 {
	return a.Floats(memory.Activations, dims...)
}

func floats64(a *memory.Arena, dims ...int) []float64 {
	return a.Float64s(memory.Activations, dims...)
}

// dense32 and dense return matrices, empty ones if the arena only counts.
func dense32(a *memory.Arena, rows, cols int) blas.Matrix {
	data := floats32(a, rows, cols)
	if a.Counts() {
		return blas.Matrix{}
	}
	return blas.Dense(data, rows, cols)
}

func dense(a *memory.Arena, rows, cols int) *mat.Dense {
	data := floats64(a, rows, cols)
	if a.Counts() {
		return &mat.Dense{}
	}
	return mat.NewDense(rows, cols, data)
}

// DistanceBytes is the memory that PCA.Distance needs for n samples: for their projection and for
// the distance of their coordinates.
func DistanceBytes(n, dim, k int) int64 {
	a := memory.Counting()
	newProjection(a, n, dim, k, nil)
	return a.Total() + metric.GaussianBytes(n, k) + metric.FrechetBytes(n, k, k)
}
