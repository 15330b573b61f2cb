package layer_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/trainer/layer"
)

// benchmark measures a layer forward and back on tiles of the size that networks take. passes is
// how many numbers the layer reads and writes for one of its first input, forward and back.
func benchmark(b *testing.B, s subject, passes [2]int) {
	n := max(1, 1<<16/s.in[0].Len())
	p := s.newPass(b, s.numbers(n), way{products: "native", wave: n, tile: n})
	p.step(0, n)
	for k, f := range []func(*layer.Tile){p.pair.Forward, p.pair.Backward} {
		b.Run(fmt.Sprintf("%v/%s", s, []string{"forward", "backward"}[k]), func(b *testing.B) {
			b.SetBytes(int64(4 * n * s.in[0].Len() * passes[k]))
			for b.Loop() {
				f(&p.tiles[0])
			}
		})
	}
}

func BenchmarkGroupNorm(b *testing.B) {
	for _, shape := range []layer.Shape{{32, 32, 32}, {16, 16, 64}, {8, 8, 128}, {4, 4, 128}} {
		benchmark(b, groupNorm(layer.GroupNorm{Groups: 8}, shape), [2]int{4, 6})
		benchmark(b, groupNorm(layer.GroupNorm{Groups: 8, SiLU: true}, shape,
			layer.Vector(2*shape.C)), [2]int{5, 9})
	}
}

func BenchmarkRMSNorm(b *testing.B) {
	for _, shape := range []layer.Shape{{8, 8, 128}, {4, 4, 128}} {
		benchmark(b, rmsNorm(shape, layer.Vector(2*shape.C)), [2]int{7, 18})
	}
}
