//go:build !race

package kernel

func read[T float32 | uint8 | uint64](...[]T) {}
func wrote[T float32 | uint8](...[]T)         {}
