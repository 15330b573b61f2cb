package kernel

// RoundHalves makes rows of halves, rs words apart: half k of row i of dst is
// bf16(alpha*src[i*ld+k]), as [RoundRows] rounds it, for i < rows, k < n, and 0 from n to the next
// multiple of 32. Words behind that are not written. n is at most [MaxRow].
func RoundHalves(dst []float32, rs int, src []float32, ld, rows, n int, alpha float32) {
	if rows <= 0 || n <= 0 {
		check(rows == 0 || n == 0)
		return
	}
	words := padded(n) / 2
	check(rs >= 0 && (rows == 1 || rs >= words) && len(dst) >= (rows-1)*rs+words)
	if raceEnabled {
		wroteGrid(dst, rows, rs, words)
	}
	roundGroups(dst, rs, HalfDepth/2, src, ld, rows, n, alpha)
}

// roundGroups is RoundHalves to rows whose groups of 32 halves are gs words apart. It does not
// check dst.
func roundGroups(dst []float32, rs, gs int, src []float32, ld, rows, n int, alpha float32) {
	checkRow(n)
	check(ld >= 0 && len(src) >= (rows-1)*ld+n)
	if raceEnabled {
		readGrid(src, rows, ld, n)
	}
	step := MaxRow / n
	for lo := 0; lo < rows; lo += step {
		roundHalves(dst[lo*rs:], rs, gs, src[lo*ld:], ld, n, min(step, rows-lo), alpha)
	}
}

// RoundHalvesT is RoundHalves of a transposed matrix: half k of row i of dst is
// bf16(alpha*src[k*ld+i]).
func RoundHalvesT(dst []float32, rs int, src []float32, ld, rows, n int, alpha float32) {
	if rows <= 0 || n <= 0 {
		check(rows == 0 || n == 0)
		return
	}
	checkRow(n)
	words := padded(n) / 2
	check(ld >= 0 && rs >= 0 && (rows == 1 || rs >= words) &&
		len(dst) >= (rows-1)*rs+words && len(src) >= (n-1)*ld+rows)
	if raceEnabled {
		readGrid(src, n, ld, rows)
		wroteGrid(dst, rows, rs, words)
	}
	var pairs strip
	for k := 0; k < n; k += HalfDepth {
		for i := 0; i < rows; i += stripWidth {
			cols, to := min(stripWidth, rows-i), dst[i*rs+k/2:]
			pairs.interleave(src[k*ld+i:], ld, cols, min(HalfDepth, n-k), alpha)
			even := cols &^ 3
			transposeWords(to, rs, pairs[:], stripWidth, even)
			transposeRest(to, rs, pairs[:], stripWidth, transposedRows, even, cols)
		}
	}
}

// padded is the least multiple of HalfDepth that is not below n.
func padded(n int) int { return (n + HalfDepth - 1) &^ (HalfDepth - 1) }

// strip is sixteen rows of words on their way to be transposed.
type strip [transposedRows * stripWidth]float32

const stripWidth = 64

// interleave makes pairs of n <= 32 rows, and zeros of those that are missing.
func (s *strip) interleave(src []float32, ld, cols, n int, alpha float32) {
	if n < HalfDepth {
		clear(s[:])
	}
	interleaveRows(s[:], stripWidth, src, ld, cols, n, alpha)
}

// interleaveRows makes rows of pairs, width apart, of two rows each; that behind the last may be
// missing.
func interleaveRows(dst []float32, width int, src []float32, ld, cols, n int, alpha float32) {
	if n > 1 {
		interleavePairs(dst, width, src, src[ld:], 2*ld, cols, n/2, alpha)
	}
	if n%2 != 0 {
		last, pairs := src[(n-1)*ld:], dst[n/2*width:]
		for j := range cols {
			pairs[j] = pairOf(bf16(float32(alpha*last[j])), 0)
		}
	}
}

// InterleavePairs makes a panel of halves: half k of column j is bf16(alpha*src[k*ld+j]) as
// [RoundRows] rounds it, for k < n, j < cols <= 32, and 0 for other columns and from n to the next
// multiple of 32. The panel has at most [MaxRow] words, 16 for each k.
func InterleavePairs(dst []float32, src []float32, ld, cols, n int, alpha float32) {
	if n <= 0 {
		check(n == 0)
		return
	}
	panel := panelOf(dst, cols, n)
	check(ld >= 0 && (cols == 0 || len(src) >= (n-1)*ld+cols))
	if raceEnabled {
		readGrid(src, min(cols, 1)*n, ld, cols)
	}
	if cols < HalfCols || n%HalfDepth != 0 {
		clear(panel)
	}
	if cols > 0 {
		interleaveRows(panel, HalfCols, src, ld, cols, n, alpha)
	}
}

// InterleavePairsT is InterleavePairs of a transposed matrix: half k of column j is
// bf16(alpha*src[j*ld+k]).
func InterleavePairsT(dst []float32, src []float32, ld, cols, n int, alpha float32) {
	if n <= 0 {
		check(n == 0)
		return
	}
	panel := panelOf(dst, cols, n)
	check(ld >= 0 && (cols == 0 || len(src) >= (cols-1)*ld+n))
	if raceEnabled {
		readGrid(src, cols, ld, n)
	}
	var words strip
	for j := 0; j < HalfCols; j += transposedRows {
		rows := max(0, min(transposedRows, cols-j))
		if rows < transposedRows {
			clear(words[:])
		}
		for k := 0; k < n; k += 2 * stripWidth {
			deep := min(2*stripWidth, n-k)
			if rows > 0 {
				roundHalves(
					words[:], stripWidth, HalfDepth/2, src[j*ld+k:], ld, deep, rows, alpha,
				)
			}
			transposeWords(
				panel[k/2*HalfCols+j:], HalfCols, words[:], stripWidth, padded(deep)/2,
			)
		}
	}
}

// panelOf is the words of a panel to be written.
func panelOf(dst []float32, cols, n int) []float32 {
	check(n <= MaxRow && 0 <= cols && cols <= HalfCols)
	words := padded(n) / 2 * HalfCols
	check(words <= MaxRow && len(dst) >= words)
	if raceEnabled {
		wroteGrid(dst, 1, 0, words)
	}
	return dst[:words]
}
