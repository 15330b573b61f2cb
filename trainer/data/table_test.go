package data

import (
	"slices"
	"testing"
)

func TestTable(t *testing.T) {
	ds := Table{D: 2, X: []float32{1, 2, 3, 4, -5, 6}}
	if s := ds.Shape(); ds.Len() != 3 || s.Dim() != 2 || s.Validate() != nil || ds.Label(0) != -1 ||
		ds.Name() == "" {
		t.Errorf("%q: %d of %v, label %d", ds.Name(), ds.Len(), s, ds.Label(0))
	}
	got := make([]float32, 4)
	if ds.Gather(got, []int{2, 0}); !slices.Equal(got, []float32{-5, 6, 1, 2}) {
		t.Errorf("gathered %v", got)
	}
	wantPanic(t, "short dst", func() { ds.Gather(got[1:], []int{2, 0}) })
}
