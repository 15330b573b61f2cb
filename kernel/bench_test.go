package kernel

import (
	"fmt"
	"testing"
)

// benchLens are the sizes of the benchmarks: in cache, and in memory.
var benchLens = []int{1 << 14, 1 << 24}

// Widths of the benchmarks' rows: latents, and the layers of networks.
const benchWidth, benchWide = 32, 256

// eachBench times a loop on every path and length: BenchmarkLangevin/impl=avx512/n=16384. prepare
// makes the arguments of n elements and returns the call; bytes is what it reads and writes per
// element.
func eachBench(b *testing.B, bytes int64, prepare func(n int) func()) {
	chosen := active
	defer func() { active = chosen }()
	for _, n := range benchLens {
		for _, p := range paths {
			b.Run(fmt.Sprintf("impl=%s/n=%d", p.name, n), func(b *testing.B) {
				active = p
				call := prepare(n)
				call() // the first touches its memory
				b.SetBytes(bytes * int64(n))
				for b.Loop() {
					call()
				}
				b.ReportMetric(
					float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/elem",
				)
			})
		}
	}
}

// eachWidth is eachBench for rows of several widths: BenchmarkColSum/d=32/impl=avx512/n=16384.
func eachWidth(b *testing.B, bytes int64, prepare func(n, d int) func()) {
	for _, d := range []int{4, 32, benchWide} {
		b.Run(fmt.Sprintf("d=%d", d), func(b *testing.B) {
			eachBench(b, bytes, func(n int) func() { return prepare(n, d) })
		})
	}
}

func benchMove(n int) *Move {
	rows := n / benchWidth
	m := &Move{
		Z:        fill(n),
		U:        fill(n),
		G:        fill(n),
		P:        fill(n),
		H:        constant(rows, 1e-4),
		IDs:      make([]uint64, rows),
		D:        benchWidth,
		Clip:     1,
		Friction: 0.3,
		Key:      Key{Seed: 1, Stream: testStream},
	}
	for i := range m.IDs {
		m.IDs[i] = uint64(i)
	}
	return m
}

func BenchmarkLangevin(b *testing.B) {
	eachBench(b, 16, func(n int) func() { m := benchMove(n); return func() { Overdamped(m) } })
}

func BenchmarkUnderdamped(b *testing.B) {
	eachBench(b, 24, func(n int) func() { m := benchMove(n); return func() { Underdamped(m) } })
}

func BenchmarkNormal(b *testing.B) {
	eachBench(b, 4, func(n int) func() {
		x := make([]float32, n)
		return func() { Normal(x, Key{Seed: 1}, 0) }
	})
}

func BenchmarkNoiseRows(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		m := benchMove(n)
		return func() { NoiseRows(m.Z, m.U, m.G, m.H, m.H, m.IDs, m.D, m.Key) }
	})
}

func BenchmarkSiLUBackward(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		s, dy, dx := fill(n), fill(n), make([]float32, n)
		return func() { SiLUBackward(dx, s, dy) }
	})
}

func BenchmarkAffineSiLU(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		x, a, b := fill(n), fill(benchWide), fill(benchWide)
		y, s := make([]float32, n), make([]float32, n)
		return func() { AffineSiLU(y, s, x, a, b) }
	})
}

func BenchmarkSiLU(b *testing.B) {
	eachBench(b, 16, func(n int) func() {
		x, y := fill(n), make([]float32, n)
		return func() { SiLU(y, x) }
	})
}

func BenchmarkSiLUBackwardAdd(b *testing.B) {
	eachBench(b, 16, func(n int) func() {
		s, dy, dx := fill(n), make([]float32, n), fill(n)
		return func() { SiLUBackwardAdd(dx, s, dy) }
	})
}

// Affine maps and sums down columns have few columns in a decoder's last layers.

func BenchmarkAffine(b *testing.B) {
	eachWidth(b, 8, func(n, d int) func() {
		x, y, a, b := fill(n), make([]float32, n), fill(d), fill(d)
		return func() { Affine(y, x, a, b) }
	})
}

func BenchmarkAffineGrad(b *testing.B) {
	eachWidth(b, 12, func(n, d int) func() {
		x, dy, dx, a := fill(n), fill(n), make([]float32, n), fill(d)
		return func() { AffineGrad(dx, dy, x, a, a, a) }
	})
}

func BenchmarkColDot(b *testing.B) {
	eachWidth(b, 8, func(n, d int) func() {
		x, y, dst := fill(n), fill(n), make([]float32, d)
		return func() { ColDot(dst, x, y) }
	})
}

func BenchmarkColSquares(b *testing.B) {
	eachWidth(b, 4, func(n, d int) func() {
		x, m, dst := fill(n), fill(d), make([]float32, d)
		return func() { ColSquares(dst, x, m) }
	})
}

func BenchmarkSoftmax(b *testing.B) {
	eachWidth(b, 8, func(n, d int) func() {
		x, y := fill(n), make([]float32, n)
		return func() { Softmax(y, x, 1, d) }
	})
}

func BenchmarkSoftmaxBackward(b *testing.B) {
	eachWidth(b, 12, func(n, d int) func() {
		y, dy, dx := fill(n), fill(n), make([]float32, n)
		return func() { SoftmaxBackward(dx, y, dy, 1, d) }
	})
}

func BenchmarkColSum(b *testing.B) {
	eachWidth(b, 4, func(n, d int) func() {
		x, dst := fill(n), make([]float32, d)
		return func() { ColSum(dst, x, d, 1) }
	})
}

func BenchmarkSinusoids(b *testing.B) {
	eachBench(b, 4, func(n int) func() {
		dst, lambda, freq := make([]float32, n), fill(n/64), fill(32)
		return func() { Sinusoids(dst, lambda, freq) }
	})
}

func BenchmarkScoreResidual(b *testing.B) {
	eachBench(b, 16, func(n int) func() {
		m := benchMove(n)
		sq := make([]float32, len(m.H))
		return func() { ScoreResidual(m.U, sq, m.Z, m.G, m.P, m.H, m.D) }
	})
}

func BenchmarkDataResidual(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		x, y, sq := fill(n), fill(n), make([]float32, n/benchWide)
		return func() { DataResidual(y, sq, y, x, 0, 1, benchWide, 0.999) }
	})
}

func BenchmarkAdam(b *testing.B) {
	eachBench(b, 28, func(n int) func() {
		p, m, v, g := fill(n), fill(n), fill(n), fill(n)
		for i := range v {
			v[i] *= v[i]
		}
		return func() { AdamStep(p, m, v, g, AdamRates{1e-3, 0.9, 0.999, 1e-8, 1, 1}) }
	})
}

func BenchmarkAdamAverage(b *testing.B) {
	eachBench(b, 36, func(n int) func() {
		p, m, v, avg, g := fill(n), fill(n), fill(n), fill(n), fill(n)
		for i := range v {
			v[i] *= v[i]
		}
		return func() {
			AdamAverageStep(p, m, v, avg, g, n, n, 1, AdamRates{1e-3, 0.9, 0.999, 1e-8, 1, 1}, 1,
				0.001)
		}
	})
}

func BenchmarkRMSprop(b *testing.B) {
	eachBench(b, 20, func(n int) func() {
		p, v, g := fill(n), constant(n, 1), fill(n)
		return func() { RMSpropStep(p, v, g, 1e-3, 0.99, 1e-8) }
	})
}

func BenchmarkEMA(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		avg, p := fill(n), fill(n)
		return func() { EMAStep(avg, p, 0.001) }
	})
}

func BenchmarkAxpy(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		y, x := fill(n), fill(n)
		return func() { Axpy(y, 1e-6, x) }
	})
}

func BenchmarkAdd(b *testing.B) {
	eachBench(b, 12, func(n int) func() {
		y, x := fill(n), make([]float32, n)
		return func() { Add(y, x) }
	})
}

func BenchmarkAllFinite(b *testing.B) {
	eachBench(b, 4, func(n int) func() {
		x := fill(n)
		return func() { AllFinite(x) }
	})
}

func BenchmarkU8ToF32(b *testing.B) {
	eachBench(b, 5, func(n int) func() {
		x, u := make([]float32, n), make([]uint8, n)
		return func() { U8ToF32(x, u) }
	})
}

func BenchmarkF32ToU8(b *testing.B) {
	eachBench(b, 5, func(n int) func() {
		x, u := fill(n), make([]uint8, n)
		return func() { F32ToU8(u, x) }
	})
}
