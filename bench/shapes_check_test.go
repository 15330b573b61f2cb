package bench

import (
	"testing"

	"github.com/plume-ml/plume/trainer/method"
)

// TestShapes compares the layers that the benchmarks count with the trained parameters, which also
// include a bias for each layer, and the operations with numbers worked out by hand.
func TestShapes(t *testing.T) {
	want := map[string]struct {
		rows       int
		operations float64
	}{
		// Decoder 32-256-512-784: 540,672 weights. Score network, 64 features, width 256, 3 blocks:
		// 64*256 + 32*256 + 7*256*256 + 256*32 = 491,520.
		"S": {1024, 6 * 1024 * (540672 + 491520)},
		// Decoder 64-512-1024-784: 1,359,872. Score network: 64*512 + 64*512 + 7*512*512 + 512*64.
		"L": {1024, 6 * 1024 * (1359872 + 1933312)},
		"D": {500, 6 * 500 * (540672 + 491520)},
	}
	for _, s := range shapes() {
		if w := want[s.name]; s.rows() != w.rows || s.operations() != w.operations {
			t.Errorf("%s: %d rows, %.0f operations, want %d and %.0f",
				s.name, s.rows(), s.operations(), w.rows, w.operations)
		}
		parameters := 0
		for _, l := range s.layers() {
			parameters += l.weights() + l.out
		}
		trained := 0
		for _, tensor := range s.newMethod(t, method.Default().Tile, 1).Tensors() {
			if tensor.Name == "decoder/params" || tensor.Name == "prior/params" {
				trained += len(tensor.F32)
			}
		}
		if parameters != trained {
			t.Errorf(
				"%s: the layers have %d parameters, the method trains %d", s.name, parameters,
				trained,
			)
		}
	}
}
