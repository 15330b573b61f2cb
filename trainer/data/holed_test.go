package data_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// Rows get the holes of the rows of like, each as often as the others, with what stands there, and
// keep everything else; the holes depend on the row and the seed alone.
func TestHoled(t *testing.T) {
	const d, m = 2, 4
	like := data.Table{
		D: d, X: []float32{1, 0, 0, 2, 3, 3, 0, 0},
		Missing: []bool{false, true, true, false, false, false, true, true},
	}
	rows := data.Table{D: d}
	for i := range 2 * m * d {
		rows.X = append(rows.X, float32(100+i))
	}
	holes := data.Holed(rows, like, 1)
	got, all := make([]float32, len(rows.X)), data.Range(0, 2*m)
	holes.Gather(got, all)
	patterns := map[[2]bool]int{}
	for i := range all {
		var pattern [2]bool
		for j := range d {
			v := got[i*d+j]
			if pattern[j] = v == 0; v != 0 && v != rows.X[i*d+j] {
				t.Errorf("row %d has %v in column %d", i, v, j)
			}
		}
		patterns[pattern]++
	}
	for _, pattern := range [][2]bool{{false, true}, {true, false}, {false, false}, {true, true}} {
		if patterns[pattern] != 2 {
			t.Errorf("holes %v are there %d times of 2", pattern, patterns[pattern])
		}
	}
	one := make([]float32, d)
	if holes.Gather(one, []int{5}); !slices.Equal(one, got[5*d:6*d]) {
		t.Error("the holes of a row depend on the rows beside it")
	}
	other := make([]float32, len(got))
	if data.Holed(rows, like, 2).Gather(other, all); slices.Equal(other, got) {
		t.Error("the holes do not depend on the seed")
	}
	like.Missing = nil
	if data.Holed(rows, like, 1).Gather(other, all); !slices.Equal(other, rows.X) {
		t.Error("there are holes, although nothing is missing")
	}
}
