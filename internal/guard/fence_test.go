package guard_test

import (
	"testing"
	"unsafe"

	"github.com/plume-ml/plume/internal/guard"
)

// What writes a number beside an array is found.
func TestFence(t *testing.T) {
	f := guard.NewFence(t, 1, 100)
	for _, atEnd := range []bool{false, true} {
		for _, by := range []int{-1, 0, 6, 7} {
			f.Clear()
			x := f.Put(make([]float32, 7), atEnd)
			number := (*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), 4*by))
			err := f.Try(func() { *number = 1 })
			if outside := by < 0 || by > 6; outside != (err != nil) {
				t.Errorf("at the end %v, %d from the start: %v", atEnd, by, err)
			}
		}
	}
}
