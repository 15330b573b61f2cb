//go:build darwin || linux

package blas

import (
	"os"
	"syscall"
	"unsafe"
)

// besides is how many numbers are watched at both ends of a region whose pages do not do it.
const besides = 0

// newRegion is at least n numbers, whole pages, with a page before and one behind that fault at
// every access. It is never freed: the tests need a few.
func newRegion(n int) ([]float32, error) {
	page := os.Getpagesize()
	size := (4*n + page - 1) / page * page
	all, err := syscall.Mmap(
		-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE,
	)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	for _, guard := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			return nil, os.NewSyscallError("mprotect", err)
		}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&all[page])), size/4), nil
}
