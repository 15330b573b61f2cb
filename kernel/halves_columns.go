package kernel

// Columns of halves are a matrix in strips of 32 columns, whose rows, of 16 words, follow each
// other: half j of row i is half j%32 of row i of strip j/32. So a tile of a product, and what
// transposes one, reads one piece of memory.

// RoundToColumns makes columns of halves, strips that begin ss words apart: half j of row i is
// bf16(src[i*ld+j]) as [RoundRows] rounds it, for i < rows, j < n <= [MaxRow], and 0 from n to the
// next multiple of 32.
func RoundToColumns(dst []float32, ss int, src []float32, ld, rows, n int) {
	if rows <= 0 || n <= 0 {
		check(rows == 0 || n == 0)
		return
	}
	checkColumns(dst, ss, rows, padded(n))
	if raceEnabled {
		wroteGrid(dst, padded(n)/HalfCols, ss, rows*HalfCols/2)
	}
	roundGroups(dst, HalfCols/2, ss, src, ld, rows, n, 1)
}

func checkColumns(x []float32, ss, rows, cols int) {
	words, strips := rows*HalfCols/2, cols/HalfCols
	check(cols%HalfCols == 0 && ss >= 0 && (strips == 1 || ss >= words) &&
		len(x) >= (strips-1)*ss+words)
}

// InterleaveColumns makes a panel of a strip: half k of column j is half j of row k, for k < n,
// j < 32, and 0 from n to the next multiple of 32. The panel has at most [MaxRow] words, 16 for
// each k.
func InterleaveColumns(dst, strip []float32, n int) {
	if n <= 0 {
		check(n == 0)
		return
	}
	panel := panelOf(dst, HalfCols, n)
	checkColumns(strip, 0, n, HalfCols)
	if raceEnabled {
		readGrid(strip, 1, 0, n*HalfCols/2)
	}
	if n%HalfDepth != 0 {
		clear(panel[n/2*HalfCols:])
	}
	pairRows(panel, strip, n)
}

// pairRows makes words of two of n rows of a strip each; that behind the last may be missing.
func pairRows(dst, strip []float32, n int) {
	interleaveHalves(dst, strip, n/2)
	if n%2 != 0 {
		last, pairs := strip[(n-1)*HalfCols/2:], dst[n/2*HalfCols:]
		for j := range HalfCols / 2 {
			pairs[2*j], pairs[2*j+1] = pairOf(lower(last[j]), 0), pairOf(upper(last[j]), 0)
		}
	}
}

// TransposeColumns makes rows of halves, rs words apart, of columns of them, strips ss words apart:
// half k of row i is half i of row k of src, for i < rows, a multiple of 32, and k < n <= [MaxRow],
// and 0 from n to the next multiple of 32.
func TransposeColumns(dst []float32, rs int, src []float32, ss, rows, n int) {
	if rows <= 0 || n <= 0 {
		check(rows == 0 || n == 0)
		return
	}
	checkRow(n)
	checkColumns(src, ss, n, rows)
	words := padded(n) / 2
	check(rs >= words && len(dst) >= (rows-1)*rs+words)
	if raceEnabled {
		readGrid(src, rows/HalfCols, ss, n*HalfCols/2)
		wroteGrid(dst, rows, rs, words)
	}
	var block [transposedRows * HalfCols]float32
	for i := 0; i < rows; i += HalfCols {
		strip := src[i/HalfCols*ss:]
		for k := 0; k < n; k += HalfDepth {
			deep := min(HalfDepth, n-k)
			if deep < HalfDepth {
				clear(block[:])
			}
			pairRows(block[:], strip[k*HalfCols/2:], deep)
			transposeWords(dst[i*rs+k/2:], rs, block[:], HalfCols, HalfCols)
		}
	}
}

// FloatsOf is the halves of words as float32.
func FloatsOf(words []float32) []float32 {
	x := make([]float32, 0, 2*len(words))
	for _, w := range words {
		x = append(x, lower(w), upper(w))
	}
	return x
}
