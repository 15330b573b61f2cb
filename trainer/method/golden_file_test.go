package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// compareAbs bounds every element of got - want.
func compareAbs[T float32 | float64](t *testing.T, what string, got []T, want []float64,
	tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, recorded %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tol) {
			t.Errorf("%s: element %d is %v, recorded %v; tolerance %.1e", what, i, got[i], w, tol)
			return
		}
	}
}

// goldenImages is the recorded images as a data set.
type goldenImages struct {
	x   []float32
	dim int
}

func (d goldenImages) Name() string             { return "golden" }
func (d goldenImages) Len() int                 { return len(d.x) / d.dim }
func (d goldenImages) Shape() data.Shape        { return data.Shape{H: 1, W: d.dim, C: 1} }
func (d goldenImages) Label(int) int            { return -1 }
func (d goldenImages) Origin(i int) data.Origin { return data.Origin{Row: i} }
func (d goldenImages) Gather(dst []float32, idx []int) {
	for i, m := range idx {
		copy(dst[i*d.dim:(i+1)*d.dim], d.x[m*d.dim:(m+1)*d.dim])
	}
}
