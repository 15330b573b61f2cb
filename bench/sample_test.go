package bench

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// BenchmarkSample samples 1,000 images of the default networks with all workers and each solver's
// default number of steps.
func BenchmarkSample(b *testing.B) {
	const n = 1000
	for _, solver := range diffusion.Solvers {
		b.Run("solver="+string(solver), func(b *testing.B) {
			eachBackend(b, func(b *testing.B, name string) {
				workers := pool.DefaultWorkers()
				b.Run(fmt.Sprintf("threads=%d", workers), func(b *testing.B) {
					under(b, name)
					g := defaults(
						"", 1,
					).newMethod(b, method.Default().Tile, workers).
						Generator(true)
					pixels := make([]float32, n*g.Dim())
					for b.Loop() {
						if err := g.Sample(b.Context(), pixels, n, generate.Spec{
							Solver: solver, Seed: 1,
						}); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "images/s")
				})
			})
		})
	}
}

// BenchmarkSamplePrecision is BenchmarkSample with DDIM by precision, of native
// products.
func BenchmarkSamplePrecision(b *testing.B) {
	const n = 1000
	for _, p := range blas.Precisions {
		for _, workers := range threads() {
			b.Run(fmt.Sprintf("precision=%s/threads=%d", p, workers), func(b *testing.B) {
				under(b, "native")
				s := defaults("", 1)
				s.options.Precision = p
				g := s.newMethod(b, method.Default().Tile, workers).Generator(true)
				pixels := make([]float32, n*g.Dim())
				for b.Loop() {
					if err := g.Sample(b.Context(), pixels, n, generate.Spec{
						Solver: diffusion.DDIM, Seed: 1,
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
