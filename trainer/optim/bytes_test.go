package optim

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// Bytes is what New allocates for a buffer, beside the one number of Steps.
func TestBytes(t *testing.T) {
	const n, steps = 1003, 4
	for _, kind := range []Kind{SGD, RMSprop, Adam} {
		for _, decay := range []float64{0, 0.99} {
			o, err := New(kind, make([]float32, n), decay)
			if err != nil {
				t.Fatal(err)
			}
			moments, average := Bytes(kind, n, decay)
			if got := reference.ArrayBytes([][]float32{o.M, o.V}); got != moments {
				t.Errorf("%s: moments of %d bytes, the formula says %d", kind, got, moments)
			}
			if got := reference.ArrayBytes(o.EMA); got != average {
				t.Errorf("%s: an average of %d bytes, the formula says %d", kind, got, average)
			}
			if got := reference.ArrayBytes(o); got != moments+average+steps {
				t.Errorf("%s: %d bytes in all, the formula says %d and the count of steps %d", kind, got, moments+average, steps)
			}
		}
	}
}
