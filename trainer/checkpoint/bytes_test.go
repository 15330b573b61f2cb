package checkpoint

import (
	"runtime"
	"testing"
)

// Save and Load allocate at most twice BufferBytes, including names, paths and hashing. Neither
// copies the state, which is 40 times as large here.
func TestBufferBytes(t *testing.T) {
	tensors := []Tensor{{Name: "z", Shape: []int{10 * BufferBytes},
		F32: make([]float32, 10*BufferBytes)}}
	run := t.TempDir()
	var dir string
	check := func(what string, work func() error) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := work(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 2*BufferBytes {
			t.Errorf("%s allocates %d bytes; expected at most twice %d", what, got, BufferBytes)
		}
	}
	check("saving", func() (err error) { dir, err = save(run, Meta{}, tensors, 0); return err })
	check("loading", func() error { _, err := Load(dir, tensors); return err })
}
