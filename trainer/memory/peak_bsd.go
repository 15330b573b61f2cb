//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import (
	"runtime"
	"syscall"
)

// Peak returns the most memory that this process has had resident so far; ok is false where that is
// unknown. On this system it is the maximum of getrusage(2), which macOS gives in bytes and the
// BSDs in kilobytes.
func Peak() (bytes int64, ok bool) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, false
	}
	bytes = int64(usage.Maxrss)
	if runtime.GOOS != "darwin" {
		bytes <<= 10
	}
	return bytes, bytes > 0
}
