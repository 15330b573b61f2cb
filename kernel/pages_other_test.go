//go:build !(darwin || linux)

package kernel

// faulting: here only the words around an array are watched.
const faulting = false

func newRegion(n int) ([]byte, error) { return make([]byte, n), nil }
