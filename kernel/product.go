package kernel

// TileShape is the shape of MulTile's tiles on the path in use: the most rows, and the columns.
func TileShape() (rows, cols int) { return active.tileRows, active.tileCols }

// TileKind says how products over tiles compare with others.
type TileKind int

// The kinds of tiles.
const (
	PortableTiles TileKind = iota // in Go, slow
	AssemblyTiles                 // in assembly, not yet measured against libraries
	MeasuredTiles                 // no slower than a library's (bench/README.md)
)

// Tiles is the kind of tiles of the path in use.
func Tiles() TileKind { return active.tiles }

// MulTile is one tile of a matrix product, of rows <= R rows and C columns, R and C from
// [TileShape]:
//
//	c[i*ldc+j] = start[i*lds+j]
//	for k < n*parts: c[i*ldc+j] = fma(a[i*rs+k*cs+k/n*jump], b[k*C+j], c[i*ldc+j])
//
// so that every element is one chain of multiply-adds in the order of k, whatever the shape of the
// tile. Between its parts, at least one, jump skips numbers of a. start may be c, with the same
// stride; with the stride 0, one row starts all. n*parts*C is at most [MaxRow].
func MulTile(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, jump int,
	b []float32, rows, n, parts int) {
	if multiplies(active.tileRows, c, ldc, start, lds, a, rs, cs, jump, b, rows, n, parts) {
		active.mulTile(c, ldc, start, lds, a, rs, cs, jump, b, rows, n, parts)
	}
}

// MulRows is [MulTile] in one part for any number of rows, in tiles of R, of which each begins
// next*R numbers after the one before in a.
func MulRows(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, next int,
	b []float32, rows, n int) {
	high := active.tileRows
	check(rows >= 0 && ldc >= active.tileCols && lds >= 0 && next >= 0)
	if rows == 0 {
		return
	}
	if n == 0 {
		next = 0 // a may be empty
	}
	last := (rows - 1) / high * high // where the last tile begins; those between lie within
	check(last*ldc <= len(c) && last*lds <= len(start) && last*next <= len(a))
	step := max(1, last)
	if raceEnabled {
		step = high
	}
	for i := 0; i <= last; i += step {
		multiplies(high, c[i*ldc:], ldc, start[i*lds:], lds, a[i*next:], rs, cs, 0, b,
			min(high, rows-i), n, 1)
	}
	i := rows / high * high
	rest := rows - i
	if rest > 0 && rest < high/2 && i > 0 && next == rs {
		i, rest = i-high, (rest+high+1)/2 // two tiles: a low one would not fill the pipeline
	}
	if i > 0 {
		active.mulRows(c, ldc, start, lds, a, rs, cs, next, b, i/high, n)
	}
	for ; i < rows; i += rest {
		active.mulTile(c[i*ldc:], ldc, start[i*lds:], lds, a[i*next:], rs, cs, 0, b,
			min(rest, rows-i), n, 1)
	}
}

// multiplies reports whether there is a tile to compute, of at most so many rows, and checks its
// arguments.
func multiplies(most int, c []float32, ldc int, start []float32, lds int, a []float32,
	rs, cs, jump int, b []float32, rows, n, parts int) bool {
	cols := active.tileCols
	if rows < 1 || n < 0 {
		check(rows == 0)
		return false
	}
	k := n * parts
	check(rows <= most && n <= MaxRow && 1 <= parts && parts <= MaxRow &&
		k*cols <= MaxRow && ldc >= 0 && (rows == 1 || ldc >= cols) &&
		lds >= 0 && rs >= 0 && cs >= 0 && jump >= 0 &&
		len(c) >= (rows-1)*ldc+cols && len(start) >= (rows-1)*lds+cols && len(b) >= k*cols &&
		(n == 0 || len(a) > (rows-1)*rs+(k-1)*cs+(parts-1)*jump))
	if raceEnabled {
		readGrid(start, rows, lds, cols)
		readGrid(b, 1, 0, k*cols)
		for p := 0; p < parts && n > 0; p++ {
			readStrided(a[p*(n*cs+jump):], rows, rs, n, cs)
		}
		wroteGrid(c, rows, ldc, cols)
	}
	return true
}

// PackRows is dst[i*width+j] = alpha*src[i*ld+j] for i < rows, j < cols, and 0 for
// cols <= j < width <= [MaxRow].
func PackRows(dst []float32, width int, src []float32, ld, cols, rows int, alpha float32) {
	if rows <= 0 || width <= 0 {
		check(rows == 0 || width == 0)
		return
	}
	check(0 <= cols && cols <= width && ld >= 0 &&
		len(dst) >= rows*width && len(src) >= (rows-1)*ld+cols)
	checkRow(width)
	if raceEnabled {
		readGrid(src, rows, ld, cols)
		wroteGrid(dst, 1, 0, rows*width)
	}
	if cols < width {
		clear(dst[:rows*width])
	}
	step := MaxRow / width
	for lo := 0; lo < rows; lo += step {
		active.packRows(dst[lo*width:], width, src[lo*ld:], ld, cols, min(rows-lo, step), alpha)
	}
}

// CopyRows is dst[i*ldd+j] = src[i*lds+j] for i < rows, j < cols <= [MaxRow]. Rows of src may
// overlap.
func CopyRows(dst []float32, ldd int, src []float32, lds, cols, rows int) {
	eachStrip(active.packRows, dst, ldd, src, lds, cols, rows, 1)
}

// eachStrip checks the arguments of a kernel over rows of two arrays, and cuts them into calls.
func eachStrip(f func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32),
	dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	if rows <= 0 || cols <= 0 {
		check(rows == 0 || cols == 0)
		return
	}
	check(lds >= 0 && ldd >= 0 && (rows == 1 || ldd >= cols) &&
		len(dst) >= (rows-1)*ldd+cols && len(src) >= (rows-1)*lds+cols)
	checkRow(cols)
	if raceEnabled {
		readGrid(src, rows, lds, cols)
		wroteGrid(dst, rows, ldd, cols)
	}
	for lo, hi := range strips(rows, cols) {
		f(dst[lo*ldd:], ldd, src[lo*lds:], lds, cols, hi-lo, alpha)
	}
}

// transposedRows is how many rows the kernel transpose takes at a time.
const transposedRows = 16

// PackColumns is dst[k*width+j] = src[j*ld+k] for k < n, j < cols, and 0 for
// cols <= j < width <= [MaxRow].
func PackColumns(dst []float32, width int, src []float32, ld, cols, n int) {
	if n <= 0 || width <= 0 {
		check(n == 0 || width == 0)
		return
	}
	check(0 <= cols && cols <= width && ld >= 0 &&
		len(dst) >= n*width && (cols == 0 || len(src) >= (cols-1)*ld+n))
	checkRow(width)
	if raceEnabled {
		readGrid(src, cols, ld, n)
		wroteGrid(dst, 1, 0, n*width)
	}
	if cols < width {
		clear(dst[:n*width])
	}
	const step = MaxRow / transposedRows
	even := n &^ 3 // what the kernel takes
	for j := 0; j < cols; j += transposedRows {
		if cols-j < transposedRows {
			transposeRest(dst[j:], width, src[j*ld:], ld, cols-j, 0, n)
			return
		}
		for lo := 0; lo < even; lo += step {
			active.transpose(dst[lo*width+j:], width, src[j*ld+lo:], ld, min(even-lo, step))
		}
		transposeRest(dst[j:], width, src[j*ld:], ld, transposedRows, even, n)
	}
}

// transposeRest transposes elements first to end of n rows.
func transposeRest(dst []float32, width int, src []float32, ld, n, first, end int) {
	for j := range n {
		for k := first; k < end; k++ {
			dst[k*width+j] = src[j*ld+k]
		}
	}
}

// Peak performs rounds of multiply-adds none of which waits for another, and returns the number of
// float32 operations, 2 for each multiply-add of one number. Its time is the least that these can
// take on one core. A call should take well below a second, since it cannot be interrupted.
func Peak(rounds int) (operations int64) {
	active.peak(rounds)
	return int64(max(0, rounds)) * int64(active.peakOperations)
}
