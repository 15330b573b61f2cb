package kernel

// Halves are the products of numbers in bf16 that a processor multiplies as such.
//
// Two such halves share a word, the place of a float32, the first in its lower 16 bits; their
// slices are of float32, of which only the bits count. In a row, half k is in word k/2. A panel is
// 32 columns of a right factor, and half k of column j is in its word k/2*32+j. The depth of both
// is a multiple of 32, with zeros at its end.
//
// [RoundHalves] and [RoundHalvesT] make rows, [InterleavePairs] and [InterleavePairsT] panels.
type Halves struct {
	name string
	// mul is Mul for so many blocks of rows <= high rows each, which begin gap rows apart: at most
	// so many blocks, and multiply-adds, 0 for no limit. Its counts are positive.
	mul func(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
		bs, rows, gap, blocks, panels, n, parts int)
	// silu is MulSiLU for blocks as those of mul, in one part whose groups are step words apart;
	// more: panels follow. nil: there is none.
	silu func(dst []float32, ss int, slopes []float32, ld int, bias, a []float32, rs int,
		b []float32, bs, rows, gap, blocks, panels, n, step int, more bool)
	high           int
	even           bool // blocks have nearly the same height: low ones would not fill a pipeline
	overlaps       bool // blocks may, where sums start from 0: a low one would read all panels
	blocks, most   int
	peakOperations int // of a round
	peak           func(rounds int)
}

// The sizes of products of halves.
const (
	HalfDepth = 32 // the depth is a multiple of it
	HalfCols  = 32 // columns of a panel
)

// BF16Halves multiplies in the order of [MulGroups], by AMX; nil if AMX is not used.
func BF16Halves() *Halves { return productsOf(amxName) }

// PairHalves multiplies pairs of halves one after the other, by VDPBF16PS; nil if that is not used,
// as where [MulTile] is faster.
func PairHalves() *Halves { return productsOf("avx512bf16") }

// productsOf are the products of an extension in use.
func productsOf(name string) *Halves {
	for _, e := range extended {
		if e.name == name {
			return e.halves
		}
	}
	return nil
}

// DefinedBF16 is what [BF16Halves] computes, in plain Go: slow, and the same on every machine.
func DefinedBF16() *Halves { return &definedBF16 }

// DefinedPairs is what [PairHalves] computes, likewise.
func DefinedPairs() *Halves { return &definedPairs }

// Mul is a product of rows of halves a and panels of halves b, added to c unless first:
//
//	for i < rows, p < panels, j < 32: sum = +0 if first, else c[i*ldc+32*p+j]
//	    for each k < n*parts: the product of half k of row i of a and half k of column j of
//	    panel p is added to sum, in the order of h
//	    c[i*ldc+32*p+j] = sum
//
// n, a multiple of 32, is the depth of a part, of which there is at least one; rows of a begin rs
// words apart, and jump words are skipped behind each part of a row; panels begin bs words apart. A
// panel has at most [MaxRow] words, n*parts*16.
//
// The order of [BF16Halves] is that of MulGroups, for each 32 numbers of the depth. That of
// [PairHalves], for each pair k, k+1 of it:
//
//	sum = fma(a[k], b[k], fma(a[k+1], b[k+1], sum))
//
// Both are the bits of their definition if factors are zero or at least 2^-56 in magnitude, as
// RoundHalves makes them, and what c holds is zero or at least 2^-103, or the result of such a
// product: then no sum is denormal, which processors take for zero here.
func (h *Halves) Mul(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
	bs, rows, panels, n, parts int) {
	if rows < 1 || panels < 1 {
		check(rows == 0 || panels == 0)
		return
	}
	check(0 <= n && n <= MaxRow && n%HalfDepth == 0 && 1 <= parts && parts <= MaxRow)
	k, width := n*parts, panels*HalfCols
	check(k*HalfCols/2 <= MaxRow && ldc >= 0 && (rows == 1 || ldc >= width) &&
		rs >= 0 && jump >= 0 && bs >= 0 &&
		len(c) >= (rows-1)*ldc+width && len(b) >= (panels-1)*bs+k*HalfCols/2 &&
		(n == 0 || len(a) >= (rows-1)*rs+k/2+(parts-1)*jump))
	if n == 0 {
		if first {
			for i := range rows {
				clear(c[i*ldc:][:width])
			}
		}
		return
	}
	if raceEnabled {
		for p := range parts {
			readGrid(a[p*(n/2+jump):], rows, rs, n/2)
		}
		readGrid(b, panels, bs, k*HalfCols/2)
		wroteGrid(c, rows, ldc, width)
	}
	h.cut(c, ldc, first, a, rs, jump, b, bs, rows, panels, n, parts)
}

// cut makes calls that are short, since nothing interrupts them: of as many blocks of rows as may
// be, and panels where that is all of them.
func (h *Halves) cut(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
	bs, rows, panels, n, parts int) {
	each, wide := h.sizes(rows, panels, n*parts)
	for p := 0; p < panels; p += wide {
		cp, bp, np := c[p*HalfCols:], b[p*bs:], min(wide, panels-p)
		for r := 0; r < rows; {
			g := h.next(rows, r, each, first)
			h.mul(cp[r*ldc:], ldc, first, a[r*rs:], rs, jump, bp, bs, g.rows, g.gap, g.blocks,
				np, n, parts)
			r += g.gap*(g.blocks-1) + g.rows
		}
	}
}

// sizes is how many blocks of rows a call takes at most, and how many panels.
func (h *Halves) sizes(rows, panels, depth int) (each, wide int) {
	each, wide = rows, panels
	if h.blocks > 0 {
		each = h.blocks
	}
	if h.most > 0 {
		most := max(1, h.most/(h.high*HalfCols*depth))
		each = min(each, most, (rows+h.high-1)/h.high)
		wide = min(panels, max(1, most/each))
	}
	return each, wide
}

// stack is blocks of rows that begin gap rows apart.
type stack struct{ rows, gap, blocks int }

// next is the stack of at most so many blocks that begins with row r of so many.
func (h *Halves) next(rows, r, most int, first bool) stack {
	if left := rows - r; h.overlaps && first && left > h.high {
		return h.overlapping(left, most)
	}
	high, blocks, low := h.heights(rows)
	if left := blocks - r/high; left > 0 {
		return stack{high, high, min(most, left)}
	}
	return stack{low, low, min(most, (rows-r)/low)}
}

// overlapping is the next stack of so many rows, more than a block has. The blocks of the last one
// have the least height with which they end where the rows do.
func (h *Halves) overlapping(rows, most int) stack {
	n := (rows + h.high - 1) / h.high
	if n > most || most == 1 {
		return stack{h.high, h.high, min(n-1, most)}
	}
	high := (rows + n - 1) / n
	for (rows-high)%(n-1) != 0 {
		high++
	}
	if high > h.high {
		return stack{h.high, h.high, n - 2}
	}
	return stack{high, (rows - high) / (n - 1), n}
}

// heights cuts rows into so many blocks that are high, and others that are lower.
func (h *Halves) heights(rows int) (high, blocks, low int) {
	if !h.even {
		return h.high, rows / h.high, rows % h.high
	}
	count := (rows + h.high - 1) / h.high
	high = (rows + count - 1) / count
	return high, rows - count*(high-1), high - 1
}

// Peak is [Peak] for the products of halves: rounds of them, in registers alone.
func (h *Halves) Peak(rounds int) (operations int64) {
	h.peak(rounds)
	return int64(max(0, rounds)) * int64(h.peakOperations)
}
