package kernel

import "math/bits"

// Joins is how parts 0 to n-1 of a sum are added along a tree, as they come one after the other.
// When part i comes, bits.OnesCount(i) sums of earlier parts wait. The last Joins(i, n) of them,
// the latest first, are added to part i, and the result waits in their place. So neighbours are
// added, then neighbours of these sums, and so on; what has no neighbour goes up as it is. The sum
// of all is what waits at the end.
func Joins(i, n int) int {
	if i == n-1 {
		return bits.OnesCount(uint(i))
	}
	return bits.TrailingZeros(^uint(i))
}

// Waiting is the most sums that wait at a time.
func Waiting(n int) int { return bits.Len(uint(max(n-1, 0))) }
