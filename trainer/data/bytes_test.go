package data

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// squares are numbered images that can be flipped.
type squares struct{ numbered }

func (squares) Shape() Shape { return Shape{2, 2, 1} }

func TestOrderBytes(t *testing.T) {
	const m = 101
	for _, holdout := range []float64{0, 0.1, 0.77} {
		train, held, err := Split(squares{numbered(m)}, holdout, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := Training(m, holdout); got != train.Len() {
			t.Errorf("holdout %v: %d images to train on, the formula says %d", holdout,
				train.Len(), got)
		}
		checkOrders(t, m, train, held, holdout, false)
		points, err := Flipped(train)
		if err != nil {
			t.Fatal(err)
		}
		checkOrders(t, m, points, held, holdout, true)
	}
}

// checkOrders compares OrderBytes with the arrays of the views and the minibatches of two epochs.
func checkOrders(t *testing.T, m int, points, held Dataset, holdout float64, flip bool) {
	t.Helper()
	b := NewBatches(points.Len(), points.Len(), 1)
	last := b.At(0, 0)
	b.At(1, 0)
	got := reference.ArrayBytes([]any{points, held, b, last})
	if want := OrderBytes(m, holdout, flip); got != want {
		t.Errorf("holdout %v, flip %v: orders of %d bytes, the formula says %d", holdout, flip, got,
			want)
	}
}
