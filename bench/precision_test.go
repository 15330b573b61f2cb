package bench

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/method"
)

// BenchmarkPrecision is one training step by precision, of native products: of the tracked shapes,
// and of convolutions (shape C).
func BenchmarkPrecision(b *testing.B) {
	each := func(name string, run func(b *testing.B, p blas.Precision, threads int)) {
		for _, p := range blas.Precisions {
			for _, n := range threads() {
				b.Run(fmt.Sprintf("shape=%s/precision=%s/threads=%d", name, p, n),
					func(b *testing.B) {
						under(b, "native")
						run(b, p, n)
					})
			}
		}
	}
	for _, s := range shapes() {
		each(s.name, func(b *testing.B, p blas.Precision, threads int) {
			s.options.Precision = p
			s.steps(b, s.newMethod(b, method.Default().Tile, threads))
			reportRate(b, s.operations(), threads)
		})
	}
	each("C", func(b *testing.B, p blas.Precision, threads int) {
		c, pictures := convolutions(b)
		c.Precision = p
		convSteps(b, c, pictures, threads)
	})
}
