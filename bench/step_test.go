// Package bench measures whole training steps and sampling, through the code that trains.
package bench

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// TestMain measures under the scheduler's setting of the command.
func TestMain(m *testing.M) {
	if blas.Info().Backend == "openblas" {
		pool.SpareProcessors()
	}
	m.Run()
}

// newMethod is the default run's method on the embedded images, with a batch of the given size.
func newMethod(tb testing.TB, batch, tile, threads int) method.Method {
	tb.Helper()
	cfg := trainer.Default()
	images, err := data.Open(cfg.Data, data.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	p := pool.New(threads)
	tb.Cleanup(p.Close)
	m, err := method.New(cfg.Method, method.Setup{
		Options: cfg.Options, Train: images, Batch: batch, Tile: tile, Seed: 1, Pool: p,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// BenchmarkStep is one training step of the default run's networks, at several batch sizes, tile
// sizes and numbers of threads.
func BenchmarkStep(b *testing.B) {
	for _, rows := range []int{250, 500, 1024, 8192} {
		for _, tile := range []int{32, 64, 128, 256} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("rows=%d/tile=%d/threads=%d", rows, tile, threads), func(b *testing.B) {
					benchmarkStep(b, newMethod(b, rows, tile, threads), rows)
				})
			}
		}
	}
}

func benchmarkStep(b *testing.B, m method.Method, rows int) {
	batch := method.Minibatch{Index: make([]int, rows)}
	for i := range batch.Index {
		batch.Index[i] = i
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Step(batch); err != nil {
			b.Fatal(err)
		}
		batch.Repeat = 1 // the same images: as in a run, most steps repeat their minibatch
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSample is 1,000 images of the default networks, with each solver's own number of steps.
func BenchmarkSample(b *testing.B) {
	const n = 1000
	for _, solver := range diffusion.Solvers {
		b.Run("solver="+string(solver), func(b *testing.B) {
			g := newMethod(b, 1, 1, 0).Generator(true)
			pixels := make([]float32, n*g.Dim())
			for b.Loop() {
				if err := g.Sample(b.Context(), pixels, n, solver, 0, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
