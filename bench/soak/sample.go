package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/plume-ml/plume/trainer/memory"
)

// sample is the process's use of resources after a step.
type sample struct {
	step       int
	heap       int64 // bytes in use after a collection
	goroutines int
	files      int   // open descriptors; 0 if unknown
	resident   int64 // bytes; 0 if unknown
}

func (s sample) String() string {
	return fmt.Sprintf("step %9d: heap %9d B, %d goroutines, %d files, resident %s",
		s.step, s.heap, s.goroutines, s.files, memory.Human(s.resident))
}

// take measures the process. The second collection frees what clean-ups and sync.Pool release
// after the first.
func take(step int) sample {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := sample{
		step: step, heap: int64(m.HeapAlloc),
		goroutines: runtime.NumGoroutine(), resident: resident(),
	}
	if open, err := os.ReadDir("/dev/fd"); err == nil {
		s.files = len(open)
	}
	return s
}

// resident is the resident memory in bytes, from the second number of /proc/self/statm (proc(5)),
// which is in pages.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
