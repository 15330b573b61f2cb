//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

const raceEnabled = true

// The race detector does not see what assembly touches: read and wrote report it.

func read[T float32 | uint8 | uint64](xs ...[]T) {
	for _, x := range xs {
		runtime.RaceReadRange(
			unsafe.Pointer(unsafe.SliceData(x)), len(x)*int(unsafe.Sizeof(*new(T))),
		)
	}
}

func wrote[T float32 | uint8](xs ...[]T) {
	for _, x := range xs {
		runtime.RaceWriteRange(
			unsafe.Pointer(unsafe.SliceData(x)), len(x)*int(unsafe.Sizeof(*new(T))),
		)
	}
}

// readGrid is rows of n numbers, stride apart.
func readGrid(x []float32, rows, stride, n int) {
	for i := range rows {
		read(x[i*stride : i*stride+n])
	}
}

func wroteGrid(x []float32, rows, stride, n int) {
	for i := range rows {
		wrote(x[i*stride : i*stride+n])
	}
}

// readStrided is the numbers at i*rs + k*cs. As a rule one of the strides is 1.
func readStrided(x []float32, rows, rs, n, cs int) {
	if rs == 1 {
		rows, rs, n, cs = n, cs, rows, rs
	}
	if cs == 1 {
		readGrid(x, rows, rs, n)
		return
	}
	for i := range rows {
		for k := range n {
			readGrid(x[i*rs+k*cs:], 1, 0, 1)
		}
	}
}
