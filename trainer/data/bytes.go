package data

import "github.com/plume-ml/plume/trainer/memory"

// Training is how many of m images Split leaves to train on.
func Training(m int, holdout float64) int { return m - heldOut(m, holdout) }

// OrderBytes is the memory in which Split and Batches keep the order of m images: that of the
// split, and of the minibatches of two epochs while one follows the other.
func OrderBytes(m int, holdout float64) int64 {
	bytes := 2 * memory.Array[int](Training(m, holdout))
	if holdout > 0 {
		bytes += memory.Array[int](m)
	}
	return bytes
}
