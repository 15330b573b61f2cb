//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

// The race detector does not see what assembly touches: read and wrote tell it.

func read[T float32 | uint8 | uint64](xs ...[]T) {
	for _, x := range xs {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(x)), len(x)*int(unsafe.Sizeof(*new(T))))
	}
}

func wrote[T float32 | uint8](xs ...[]T) {
	for _, x := range xs {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(x)), len(x)*int(unsafe.Sizeof(*new(T))))
	}
}
