package kernel

import (
	"fmt"
	"testing"
)

// eachPathBench times, on every path, calls that perform the returned number of operations each.
func eachPathBench(b *testing.B, prepare func() (operations int64, call func())) {
	chosen := active
	defer func() { active = chosen }()
	for _, p := range paths {
		b.Run("impl="+p.name, func(b *testing.B) {
			active = p
			operations, call := prepare()
			call() // the first touches its memory
			for b.Loop() {
				call()
			}
			b.ReportMetric(
				float64(operations)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s",
			)
		})
	}
}

// BenchmarkMulTile is one tile of packed factors, as deep as the blocks of a large product, so that
// they lie in the caches next to the core.
func BenchmarkMulTile(b *testing.B) {
	eachPathBench(b, func() (int64, func()) {
		const n = 384
		rows, cols := TileShape()
		c, start := make([]float32, rows*cols), make([]float32, cols)
		x, y := fill(rows*n), fill(n*cols)
		call := func() { MulTile(c, cols, start, 0, x, 1, rows, 0, y, rows, n, 1) }
		return int64(2 * rows * cols * n), call
	})
}

// BenchmarkMulGroups is the same in the order of products of rounded factors.
func BenchmarkMulGroups(b *testing.B) {
	eachPathBench(b, func() (int64, func()) {
		const n = 384
		rows, cols := GroupsShape()
		c, start := make([]float32, rows*cols), make([]float32, cols)
		x, y := fill(rows*n), fill(n*cols)
		call := func() { MulGroups(c, cols, start, 0, x, 1, rows, 0, y, rows, n, 1) }
		return int64(2 * rows * cols * n), call
	})
}

// BenchmarkPeak is what BenchmarkMulTile and BenchmarkMulGroups could reach.
func BenchmarkPeak(b *testing.B) {
	const rounds = 1 << 12
	eachPathBench(b, func() (int64, func()) { return Peak(rounds), func() { Peak(rounds) } })
}

// benchPanel is the width of the panels that the packings are timed with.
const benchPanel = 32

func BenchmarkPackRows(b *testing.B) {
	eachBench(b, 8, func(n int) func() {
		dst, src, rows := make([]float32, n), fill(n), n/benchWide
		return func() {
			for j := 0; j < benchWide; j += benchPanel {
				PackRows(dst[j*rows:], benchPanel, src[j:], benchWide, benchPanel, rows, 1)
			}
		}
	})
}

func BenchmarkPackColumns(b *testing.B) {
	eachBench(b, 8, func(n int) func() {
		dst, src := make([]float32, n), fill(n)
		return func() {
			for i := 0; i < n; i += benchPanel * benchWide {
				PackColumns(dst[i:], benchPanel, src[i:], benchWide, benchPanel, benchWide)
			}
		}
	})
}

func BenchmarkRoundRows(b *testing.B)  { benchRounding(b, RoundRows) }
func BenchmarkRoundRest(b *testing.B)  { benchRounding(b, RoundRest) }
func BenchmarkRoundPairs(b *testing.B) { benchRounding(b, RoundPairs) }

// benchRounding rounds into panels, as BenchmarkPackRows packs.
func benchRounding(b *testing.B, f rounding) {
	eachBench(b, 8, func(n int) func() {
		dst, src, rows := make([]float32, n), fill(n), n/benchWide
		return func() {
			for j := 0; j < benchWide; j += benchPanel {
				f(dst[j*rows:], benchPanel, src[j:], benchWide, benchPanel, rows, 1)
			}
		}
	})
}

// BenchmarkHalves is products of halves as a layer has them, with factors in the caches.
func BenchmarkHalves(b *testing.B) {
	const rows, panels, n = 128, 8, 256
	for i := range extensions {
		e := &extensions[i]
		b.Run("impl="+e.name, func(b *testing.B) {
			if err := e.lacks(); err != nil {
				b.Skip(err)
			}
			c, x := make([]float32, rows*panels*HalfCols), make([]float32, rows*(n/2+16))
			y := make([]float32, panels*n/2*HalfCols)
			for b.Loop() {
				e.halves.Mul(
					c, panels*HalfCols, true, x, n/2+16, 0, y, n/2*HalfCols, rows, panels, n, 1,
				)
			}
			operations := 2 * rows * panels * HalfCols * n * float64(b.N)
			b.ReportMetric(operations/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

// BenchmarkHalvesLayers is products of halves as layers of 64 rows have them, and the last two as
// gradients of weights: c is in one of several places in turn, in the second-level cache, where the
// panels of the larger ones do not stay.
func BenchmarkHalvesLayers(b *testing.B) {
	const room = 1 << 18
	for _, s := range []struct{ rows, depth, cols, ldc int }{
		{64, 32, 256, 256}, {64, 256, 256, 256}, {64, 256, 512, 512}, {64, 512, 256, 256},
		{64, 512, 768, 784}, {64, 800, 512, 512}, {64, 512, 1024, 1024}, {64, 1024, 768, 784},
		{96, 1024, 384, 784}, {96, 512, 256, 256},
	} {
		name := fmt.Sprintf("rows=%d/depth=%d/cols=%d/ldc=%d", s.rows, s.depth, s.cols, s.ldc)
		b.Run(name, func(b *testing.B) {
			h := BF16Halves()
			if h == nil {
				b.Skip("AMX is not used")
			}
			panels, rs, bs := s.cols/HalfCols, s.depth/2+16, s.depth/2*HalfCols
			c, x, y := Floats(room), Floats(s.rows*rs), Floats(panels*bs)
			at, place := 0, s.rows*s.ldc
			for b.Loop() {
				if at += place; at+place > room {
					at = 0
				}
				h.Mul(c[at:], s.ldc, true, x, rs, 0, y, bs, s.rows, panels, s.depth, 1)
			}
			operations := 2 * float64(s.rows*s.cols*s.depth) * float64(b.N)
			b.ReportMetric(operations/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

// BenchmarkHalfPacking packs rows, or panels, of 256 numbers.
func BenchmarkHalfPacking(b *testing.B) {
	for i := range halfPackings {
		q := &halfPackings[i]
		b.Run("of="+q.name, func(b *testing.B) {
			eachBench(b, 8, func(n int) func() {
				const deep = 256
				dst, src := make([]float32, n), fill(n)
				return func() {
					for at := 0; at < n; at += HalfCols * deep {
						ld := deep
						if q.transposed {
							ld = HalfCols
						}
						q.pack(dst[at/2:], deep/2, src[at:], ld, HalfCols, deep, 1)
					}
				}
			})
		})
	}
}
