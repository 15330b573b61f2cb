package particle

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

func TestBytes(t *testing.T) {
	const m, n, d, rows = 11, 3, 5, 17
	for _, momentum := range []bool{false, true} {
		cloud := NewCloud(m, n, d, momentum, 1)
		if got, want := reference.ArrayBytes(cloud), Bytes(m, n, d, momentum); got != want {
			t.Errorf("momentum %v: a cloud of %d bytes, the formula says %d", momentum, got, want)
		}
		got := reference.ArrayBytes(cloud.NewBatch(rows)) - reference.ArrayBytes(cloud)
		if want := BatchBytes(rows, d, momentum); got != want {
			t.Errorf("momentum %v: a batch of %d bytes, the formula says %d", momentum, got, want)
		}
	}
}
