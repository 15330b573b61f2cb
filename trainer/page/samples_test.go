package page

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// What no training row has plays no part in which of them is nearest, nor in how near it is.
func TestClosestWithHoles(t *testing.T) {
	points := data.Table{
		D: 3, X: []float32{0.5, 0, 1, -0.5, 0, -1, 0.5, 0, -1},
		Missing: []bool{false, true, false, false, true, false, false, true, false},
	}
	samples := data.Table{D: 3, X: []float32{0.5, 0.9, -1, -0.5, -0.9, -1}}
	got, err := closest(t.Context(), samples, points, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Index, []int{2, 1}) || !slices.Equal(got.RMS, []float64{0, 0}) {
		t.Errorf("%+v, expected rows 2 and 1, at no distance", got)
	}
}
