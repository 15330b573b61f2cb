package bench

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/particle"
)

// kernels are the loops that take the time of a step beside the products, on the path in use;
// package kernel measures all of them on all paths. bytes is what a kernel reads and writes for
// each element.
var kernels = []struct {
	name    string
	bytes   int
	prepare func(n int) func()
}{
	{
		"langevin", 16,
		func(n int) func() { m := newMove(n); return func() { kernel.Overdamped(m) } },
	},
	{
		"underdamped", 24,
		func(n int) func() { m := newMove(n); return func() { kernel.Underdamped(m) } },
	},
	{"exact", 24, func(n int) func() {
		m := newMove(n)
		c := kernel.Transition{
			Keep: 0.7, Mean: 0.6, Drift: 0.1, Heat: 0.7, Rest: 0.1, Stream: 2,
		}
		return func() { kernel.Exact(m, c) }
	}},
	{"normals", 4, func(n int) func() {
		x := make([]float32, n)
		return func() { kernel.Normal(x, kernel.Key{Seed: 1}, 0) }
	}},
	{"silu", 12, func(n int) func() {
		y, x := make([]float32, n), noise(n, 1)
		return func() { kernel.SiLU(y, x) }
	}},
	{"silu-backward", 12, func(n int) func() {
		dx, s, dy := make([]float32, n), noise(n, 1), noise(n, 2)
		return func() { kernel.SiLUBackward(dx, s, dy) }
	}},
	{"adam", 28, func(n int) func() {
		p, m, v, g := noise(n, 1), make([]float32, n), make([]float32, n), noise(n, 2)
		return func() { kernel.AdamStep(p, m, v, g, adamRates) }
	}},
	{"axpy", 12, func(n int) func() {
		y, x := noise(n, 1), noise(n, 2)
		return func() { kernel.Axpy(y, 1e-6, x) }
	}},
}

// adamRates are those of a first step.
var adamRates = kernel.AdamRates{
	LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, C1: 1 / 0.9, C2: 1 / 0.99,
}

const latentWidth, layerWidth = 32, 256

// BenchmarkKernel is one kernel on one core, in cache and in memory.
func BenchmarkKernel(b *testing.B) {
	for _, n := range []int{1 << 14, 1 << 24} {
		for _, k := range kernels {
			b.Run(fmt.Sprintf("op=%s/n=%d", k.name, n), func(b *testing.B) {
				call := k.prepare(n)
				call() // the first touches its memory
				b.SetBytes(int64(k.bytes * n))
				for b.Loop() {
					call()
				}
			})
		}
	}
}

// noise is n standard normals, others for each stream.
func noise(n int, stream kernel.Stream) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Stream: stream}, 0)
	return x
}

func newMove(n int) *kernel.Move {
	rows := n / latentWidth
	m := &kernel.Move{
		Z:        noise(n, 1),
		U:        noise(n, 2),
		G:        noise(n, 3),
		P:        noise(n, 4),
		H:        make([]float32, rows),
		Clip:     1,
		Friction: 0.3,
		IDs:      make([]uint64, rows),
		D:        latentWidth,
		Key:      kernel.Key{Seed: 1, Stream: particle.StreamMove},
	}
	for i := range rows {
		m.H[i], m.IDs[i] = 1e-4, uint64(i)
	}
	return m
}
