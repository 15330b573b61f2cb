//go:build !(darwin || linux)

package blas

// besides is how many numbers are watched at both ends of a region.
const besides = 64

// newRegion is n numbers. Here nothing stops reads and writes beyond them, but the canaries show
// what was written, and what was used.
func newRegion(n int) ([]float32, error) { return make([]float32, n+2*besides), nil }
