package kernel

import (
	"syscall"
	"unsafe"
)

const largePage = 2 << 20

// largePages asks for large pages under x and whatever lies beside it in the same ones. It is a
// hint: a system without them refuses, and nothing else changes.
func largePages(x []float32) {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := (from + uintptr(4*len(x)) + largePage - 1) &^ (largePage - 1)
	from &^= largePage - 1
	syscall.Syscall(syscall.SYS_MADVISE, from, end-from, syscall.MADV_HUGEPAGE)
}
