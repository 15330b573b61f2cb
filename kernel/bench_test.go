package kernel

import (
	"fmt"
	"math"
	"testing"
)

// benchLens are the sizes of the benchmarks: in cache, and in memory.
var benchLens = []int{1 << 14, 1 << 24}

// benchWidth is the row width of the benchmarks whose rows are latents, benchWide that of the
// networks' layers.
const benchWidth, benchWide = 32, 256

// benchmarks are the loops of a training step; each makes its arguments of n elements and returns
// the call to time. bytes is what the call reads and writes per element.
var benchmarks = []struct {
	name  string
	bytes int64
	make  func(n int) func()
}{
	{"Langevin", 16, func(n int) func() { m := benchMove(n); return func() { Overdamped(m) } }},
	{"Underdamped", 24, func(n int) func() { m := benchMove(n); return func() { Underdamped(m) } }},
	{"Normal", 4, func(n int) func() {
		x := make([]float32, n)
		return func() { Normal(x, Key{Seed: 1}, 0) }
	}},
	{"NoiseRows", 12, func(n int) func() {
		m := benchMove(n)
		return func() { NoiseRows(m.Z, m.U, m.G, m.H, m.H, m.IDs, m.D, m.Key) }
	}},
	{"BiasSiLU", 12, func(n int) func() {
		x, y, b := fill(n), make([]float32, n), fill(benchWide)
		return func() { BiasSiLU(y, x, b) }
	}},
	{"SkipSiLU", 28, func(n int) func() {
		h, skip, e, y, s, b := fill(n), fill(n), fill(n), make([]float32, n), make([]float32, n), make([]float32, benchWide)
		return func() { copy(h, skip); SkipSiLU(y, s, h, b, skip, e) }
	}},
	{"SiLUBackward", 12, func(n int) func() {
		s, dy, dx := fill(n), fill(n), make([]float32, n)
		return func() { SiLUBackward(dx, s, dy) }
	}},
	{"SkipSiLUBackward", 24, func(n int) func() {
		s, dy, above, below, embed := fill(n), fill(n), fill(n), make([]float32, n), make([]float32, n)
		return func() { SkipSiLUBackward(below, embed, above, s, dy) }
	}},
	{"ColSum", 4, func(n int) func() {
		x, dst := fill(n), make([]float32, benchWide)
		return func() { ColSum(dst, x, benchWide, 1) }
	}},
	{"Sinusoids", 4, func(n int) func() {
		dst, lambda, freq := make([]float32, n), fill(n/64), fill(32)
		return func() { Sinusoids(dst, lambda, freq) }
	}},
	{"ScoreResidual", 16, func(n int) func() {
		m := benchMove(n)
		sq := make([]float32, len(m.H))
		return func() { ScoreResidual(m.U, sq, m.Z, m.G, m.P, m.H, m.D) }
	}},
	{"DataResidual", 12, func(n int) func() {
		x, y, sq := fill(n), fill(n), make([]float32, n/benchWide)
		return func() { DataResidual(y, sq, y, x, 0, 1, benchWide, 0.999) }
	}},
	{"Adam", 28, func(n int) func() {
		p, m, v, g := fill(n), fill(n), fill(n), fill(n)
		for i := range v {
			v[i] *= v[i]
		}
		return func() { AdamStep(p, m, v, g, 1e-3, 0.9, 0.999, 1e-8, 1, 1) }
	}},
	{"RMSprop", 20, func(n int) func() {
		p, v, g := fill(n), constant(n, 1), fill(n)
		return func() { RMSpropStep(p, v, g, 1e-3, 0.99, 1e-8) }
	}},
	{"EMA", 12, func(n int) func() {
		avg, p := fill(n), fill(n)
		return func() { EMAStep(avg, p, 0.001) }
	}},
	{"Axpy", 12, func(n int) func() {
		y, x := fill(n), fill(n)
		return func() { Axpy(y, 1e-6, x) }
	}},
	{"Add", 12, func(n int) func() {
		y, x := fill(n), make([]float32, n)
		return func() { Add(y, x) }
	}},
	{"AllFinite", 4, func(n int) func() {
		x := fill(n)
		return func() { AllFinite(x) }
	}},
	{"U8ToF32", 5, func(n int) func() {
		x, u := make([]float32, n), make([]uint8, n)
		return func() { U8ToF32(x, u) }
	}},
	{"F32ToU8", 5, func(n int) func() {
		x, u := fill(n), make([]uint8, n)
		return func() { F32ToU8(u, x) }
	}},
}

func benchMove(n int) *Move {
	rows := n / benchWidth
	m := &Move{
		Z: fill(n), U: fill(n), G: fill(n), P: fill(n), H: constant(rows, 1e-4), IDs: make([]uint64, rows), D: benchWidth,
		Clip: 1, Friction: 0.3, Key: Key{Seed: 1, Stream: testStream},
	}
	for i := range m.IDs {
		m.IDs[i] = uint64(i)
	}
	return m
}

// BenchmarkKernels times every loop on every path: BenchmarkKernels/Langevin/impl=avx512/n=16384.
func BenchmarkKernels(b *testing.B) {
	chosen := active
	defer func() { active = chosen }()
	for _, k := range benchmarks {
		for _, n := range benchLens {
			for _, p := range paths {
				b.Run(fmt.Sprintf("%s/impl=%s/n=%d", k.name, p.name, n), func(b *testing.B) {
					active = p
					call := k.make(n)
					b.SetBytes(k.bytes * int64(n))
					for b.Loop() {
						call()
					}
					ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
					b.ReportMetric(math.Round(ns*1e4)/1e4, "ns/elem")
				})
			}
		}
	}
}
