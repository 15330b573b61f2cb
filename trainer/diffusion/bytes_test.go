package diffusion

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

func TestTapeBytes(t *testing.T) {
	for _, draws := range []int{1, 3} {
		for _, rows := range []int{1, 12} {
			b := Bound{Process: testProcess, Draws: draws}
			if got, want := reference.ArrayBytes(b.NewTape(nil, testD, rows)), b.TapeBytes(testD, rows); got != want {
				t.Errorf("%d draws of %d rows: the arrays have %d bytes, the formula says %d", draws, rows, got, want)
			}
		}
	}
}
