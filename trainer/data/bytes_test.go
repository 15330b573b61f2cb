package data

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

func TestOrderBytes(t *testing.T) {
	const m = 101
	for _, holdout := range []float64{0, 0.1, 0.77} {
		train, held, err := Split(numbered(m), holdout, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := Training(m, holdout); got != train.Len() {
			t.Errorf("holdout %v: %d images to train on, the formula says %d", holdout,
				train.Len(), got)
		}
		b := NewBatches(train.Len(), train.Len(), 1)
		last := b.At(0, 0)
		b.At(1, 0)
		got := reference.ArrayBytes([]any{train, held, b, last})
		if want := OrderBytes(m, holdout); got != want {
			t.Errorf("holdout %v: orders of %d bytes, the formula says %d", holdout, got, want)
		}
	}
}
