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
	interleaveHalves(dst, strip, HalfCols/2, n/2)
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

// TransposeLines is TransposeColumns of 32 columns whose rows lie in lines of run each, ld words
// apart: line i begins at starts[i], and the first row is number first of line 0. run, first and n
// are even.
func TransposeLines(
	dst []float32, rs int, src []float32, starts []int, run, ld, first, n int,
) {
	if n <= 0 {
		check(n == 0)
		return
	}
	checkRow(n)
	words := padded(n) / 2
	check((n|run|first)%2 == 0 && run > 0 && first >= 0 && ld >= 0 &&
		len(starts)*run >= first+n && rs >= words && len(dst) >= (HalfCols-1)*rs+words)
	if raceEnabled {
		wroteGrid(dst, HalfCols, rs, words)
	}
	var block [transposedRows * HalfCols]float32
	for k := 0; k < n; k += HalfDepth {
		if n-k < HalfDepth {
			clear(block[:])
		}
		for at := k; at < min(n, k+HalfDepth); {
			i, from := (first+at)/run, (first+at)%run
			rows := min(run-from, min(n, k+HalfDepth)-at)
			line := src[starts[i]+from*ld:]
			check(len(line) >= (rows-1)*ld+HalfCols/2)
			if raceEnabled {
				readGrid(line, rows, ld, HalfCols/2)
			}
			interleaveHalves(block[(at-k)/2*HalfCols:], line, ld, rows/2)
			at += rows
		}
		transposeWords(dst[k/2:], rs, block[:], HalfCols, HalfCols)
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
