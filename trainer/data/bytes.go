package data

import "github.com/plume-ml/plume/trainer/memory"

// Training is the number of images, of m, in the training part of Split.
func Training(m int, holdout float64) int { return m - heldOut(m, holdout) }

// OrderBytes is the memory of the permutations of m images in Split and Batches. Batches has two of
// them when an epoch follows another.
func OrderBytes(m int, holdout float64) int64 {
	bytes := 2 * memory.Array[int](Training(m, holdout))
	if holdout > 0 {
		bytes += memory.Array[int](m)
	}
	return bytes
}
