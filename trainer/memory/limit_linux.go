package memory

import (
	"fmt"
	"os"
	"syscall"
)

// addressSpace returns how much memory the limit of the address space lets this process use: what
// is left of the limit plus what is resident. The rest is reserved but never used: the Go runtime
// reserves some 700 MB for its tables, and each thread its stack.
func addressSpace() (bytes int64, limited bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil || limit.Cur > huge {
		return 0, false
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	var reserved, resident int64 // in pages
	if _, err := fmt.Sscan(string(text), &reserved, &resident); err != nil {
		return 0, false
	}
	return int64(limit.Cur) - (reserved-resident)*int64(os.Getpagesize()), true
}
