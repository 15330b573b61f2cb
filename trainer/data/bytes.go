package data

import "github.com/plume-ml/plume/trainer/memory"

// Training is the number of images, of m, in the training part of Split.
func Training(m int, holdout float64) int { return m - heldOut(m, holdout) }

// OrderBytes is the memory of the orders of m images in Split, in Flipped if flip is set, and in
// Batches. Batches has two of them when an epoch follows another.
func OrderBytes(m int, holdout float64, flip bool) int64 {
	order := memory.Array[int](Training(m, holdout))
	bytes := 2 * order
	if flip {
		bytes += 3 * order // Batches has twice as many images
	}
	if holdout > 0 {
		bytes += memory.Array[int](m)
	}
	return bytes
}
