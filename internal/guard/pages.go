//go:build darwin || linux

package guard

import (
	"os"
	"syscall"
)

// Faults says that the regions of this system lie between pages that cannot be touched.
const Faults = true

// Region is at least n bytes, whole pages, with a page before and one behind that fault at every
// access. It is never freed: tests need a few.
func Region(n int) ([]byte, error) {
	page := os.Getpagesize()
	n = (n + page - 1) / page * page
	all, err := syscall.Mmap(
		-1, 0, n+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE,
	)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	for _, pages := range [][]byte{all[:page], all[page+n:]} {
		if err := syscall.Mprotect(pages, syscall.PROT_NONE); err != nil {
			return nil, os.NewSyscallError("mprotect", err)
		}
	}
	return all[page : page+n : page+n], nil
}
