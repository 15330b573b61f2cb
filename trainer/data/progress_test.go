package data

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// Progress counts the headers, then the pictures, and ends each with nothing. Calls of several
// goroutines may be in any order.
func TestProgress(t *testing.T) {
	var names, said, want []string
	for i := range 250 {
		names = append(names, fmt.Sprintf("%03d.png", i))
	}
	var mu sync.Mutex
	mustOpen(t, folderOf(t, pngFiles(t, names...)), Options{Progress: func(s string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, s)
	}})
	for _, what := range []string{"headers", "pictures"} {
		want = append(want, "100 of 250 "+what, "200 of 250 "+what, "")
	}
	if len(said) == 6 {
		slices.Sort(said[:2])
		slices.Sort(said[3:5])
	}
	if !slices.Equal(said, want) {
		t.Errorf("%q; expected %q", said, want)
	}
}
