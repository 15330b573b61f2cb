package kernel

import (
	"github.com/plume-ml/plume/asm/amx"
	"github.com/plume-ml/plume/asm/avx512"
	"github.com/plume-ml/plume/asm/avx512bf16"
	"github.com/plume-ml/plume/asm/avx512half"
)

// amxHalves takes at most 2,048 blocks of 32 rows, columns and numbers of the depth in a call, each
// of which takes 20 to 50 ns.
var amxHalves = Halves{
	name: "amx", mul: mulTiles, silu: amx.MulSiLU,
	high: 32, blocks: 4, most: 2048 << 15, overlaps: true,
	peak: amx.Peak, peakOperations: 6 * 16 * 16 * 32 * 2,
}

// mulTiles takes parts of one group for one part whose groups are apart.
func mulTiles(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
	bs, rows, gap, blocks, panels, n, parts int) {
	step := HalfDepth / 2
	if n == HalfDepth {
		n, parts, step = n*parts, 1, step+jump
	}
	more := bs > 0 && len(b) >= panels*bs+n*parts*HalfCols/2
	amx.MulBlocks(c, ldc, first, a, rs, jump, b, bs, rows, gap, blocks, panels, n, parts,
		step, more)
}

// avx512bf16Halves has the tiles of AVX-512, whose numbers are words here.
var avx512bf16Halves = Halves{
	name: "avx512bf16", mul: mulPairs, high: avx512Path.tileRows, even: true,
	peak: avx512bf16.Peak, peakOperations: 2 * avx512Path.peakOperations,
}

// noSums are what the sums of a row begin with.
var noSums [HalfCols]float32

func mulPairs(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
	bs, rows, gap, blocks, panels, n, parts int) {
	for p := range panels {
		for i := range blocks {
			sums, start, lds := c[i*gap*ldc+p*HalfCols:], noSums[:], 0
			if !first {
				start, lds = sums, ldc
			}
			avx512bf16.MulTile(
				sums, ldc, start, lds, a[i*gap*rs:], rs, 1, jump, b[p*bs:], rows, n/2, parts,
			)
		}
	}
}

// Packing calls assembly by name: through a variable, the memory between two steps would be
// allocated.

func roundHalves(dst []float32, rs, gs int, src []float32, ld, cols, rows int, alpha float32) {
	if packs() {
		avx512half.RoundHalves(dst, rs, gs, src, ld, cols, rows, alpha)
		return
	}
	roundHalvesGeneric(dst, rs, gs, src, ld, cols, rows, alpha)
}

func interleavePairs(dst []float32, width int, x, y []float32, ld, cols, rows int, alpha float32) {
	if packs() {
		avx512half.InterleavePairs(dst, width, x, y, ld, cols, rows, alpha)
		return
	}
	interleavePairsGeneric(dst, width, x, y, ld, cols, rows, alpha)
}

func transposeWords(dst []float32, width int, src []float32, ld, n int) {
	if active == &avx512Path {
		avx512.Transpose(dst, width, src, ld, n)
		return
	}
	transposeGeneric(dst, width, src, ld, n)
}

func interleaveHalves(dst, src []float32, rs, pairs int) {
	if packs() {
		avx512half.InterleaveHalves(dst, src, rs, pairs)
		return
	}
	interleaveHalvesGeneric(dst, src, rs, pairs)
}
