package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// fitting is a call whose slices may be longer than needed, and the lengths that it needs.
type fitting struct {
	name string
	lens []int
	f    func(s [][]float32)
}

// fittings are calls for the tiles of the path in use.
func fittings() []fitting {
	return slices.Concat(
		productFittings(), rowsFittings(), roundedFittings(), halvesFittings(), winogradFittings(),
	)
}

func productFittings() []fitting {
	rows, cols := TileShape()
	const n, width = 5, 37
	ldc, lds := cols+3, cols+1
	last := func(apart, n int) int { return (rows-1)*apart + n }
	tile := func(lds, rs, cs, n int) func(s [][]float32) {
		return func(s [][]float32) {
			MulTile(s[0], ldc, s[1], lds, s[2], rs, cs, 0, s[3], rows, n, 1)
		}
	}
	return []fitting{
		{
			"MulTile", []int{last(ldc, cols), last(lds, cols), last(2, 1) + (n-1)*2*rows, n * cols},
			tile(lds, 2, 2*rows, n),
		},
		{
			"MulTile from one row", []int{last(ldc, cols), cols, last(n, n), n * cols},
			tile(0, n, 1, n),
		},
		{
			"MulTile of the deepest",
			[]int{last(ldc, cols), cols, last(1, 1) + (MaxRow/cols-1)*rows, MaxRow},
			tile(0, 1, rows, MaxRow/cols),
		},
		{
			"MulTile in parts", []int{last(ldc, cols), cols, last(7, 1) + 2*n + 7, 2 * n * cols},
			func(s [][]float32) { MulTile(s[0], ldc, s[1], 0, s[2], 7, 1, 8, s[3], rows, n, 2) },
		},
		{"MulTile of no depth", []int{last(ldc, cols), last(lds, cols), 0, 0}, tile(lds, 1, 1, 0)},
		{
			"MulTile of one row", []int{cols, cols, n, n * cols},
			func(s [][]float32) { MulTile(s[0], 0, s[1], 0, s[2], 0, 1, 0, s[3], 1, n, 1) },
		},
		{
			"MulTile of no rows", nil,
			func([][]float32) { MulTile(nil, ldc, nil, lds, nil, 1, 1, 0, nil, 0, n, 1) },
		},
		{
			"PackRows", []int{n * width, (n-1)*40 + 35},
			func(s [][]float32) { PackRows(s[0], width, s[1], 40, 35, n, 1) },
		},
		{
			"PackRows of nothing", nil,
			func([][]float32) {
				PackRows(nil, width, nil, 40, 35, 0, 1)
				PackRows(nil, 0, nil, 1, 0, 9, 1)
			},
		},
		{
			"CopyRows", []int{(n-1)*40 + 35, (n-1)*7 + 35},
			func(s [][]float32) { CopyRows(s[0], 40, s[1], 7, 35, n) },
		},
		{
			"CopyRows of one row", []int{35, 35},
			func(s [][]float32) { CopyRows(s[0], 0, s[1], 0, 35, 1) },
		},
		{
			"CopyRows of nothing", nil,
			func([][]float32) {
				CopyRows(nil, 40, nil, 7, 35, 0)
				CopyRows(nil, 0, nil, 0, 0, 9)
			},
		},
		{
			"PackColumns", []int{n * width, 34*7 + n},
			func(s [][]float32) { PackColumns(s[0], width, s[1], 7, 35, n) },
		},
		{
			"PackColumns of no columns", []int{n * width, 0},
			func(s [][]float32) { PackColumns(s[0], width, s[1], 7, 0, n) },
		},
		{
			"PackColumns of nothing", nil,
			func([][]float32) {
				PackColumns(nil, width, nil, 7, 35, 0)
				PackColumns(nil, 0, nil, 7, 0, 9)
			},
		},
	}
}

func rowsFittings() []fitting {
	rows, cols := TileShape()
	const n = 5
	ldc, lds := cols+3, cols+1
	return []fitting{
		{
			"MulRows", []int{2*rows*ldc + cols, 2*rows*lds + cols, 2*rows*n + n, n * cols},
			func(s [][]float32) {
				MulRows(s[0], ldc, s[1], lds, s[2], n, 1, n, s[3], 2*rows+1, n)
			},
		},
		{
			"MulRows of packed tiles",
			[]int{(2*rows-1)*ldc + cols, cols, rows*n + n*rows, n * cols},
			func(s [][]float32) {
				MulRows(s[0], ldc, s[1], 0, s[2], 1, rows, n, s[3], 2*rows, n)
			},
		},
		{
			"MulRows of no rows", nil,
			func([][]float32) { MulRows(nil, ldc, nil, lds, nil, 1, 1, 1, nil, 0, n) },
		},
	}
}

// arguments gives each slice its length, and argument at one number less.
func (c fitting) arguments(at int) [][]float32 {
	s := make([][]float32, len(c.lens))
	for i, n := range c.lens {
		if i == at {
			n--
		}
		s[i] = make([]float32, n)
	}
	return s
}

// TestProductLengths: slices of the least lengths pass, shorter ones panic.
func TestProductLengths(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, c := range fittings() {
			c.f(c.arguments(-1))
			for i, n := range c.lens {
				if n > 0 {
					s := c.arguments(i)
					mustPanic(
						t, fmt.Sprintf("%s, argument %d", c.name, i), errLen, func() { c.f(s) },
					)
				}
			}
		}
	})
}

// TestProductNumbers: numbers outside their bounds panic, whatever the slices.
func TestProductNumbers(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		rows, cols := TileShape()
		x := make([]float32, 3*MaxRow)
		tile := func(ldc, lds, rs, cs, rows, n int) func() {
			return func() { MulTile(x, ldc, x, lds, x, rs, cs, 0, x, rows, n, 1) }
		}
		parts := func(jump, n, parts int) func() {
			return func() { MulTile(x, cols, x, 0, x, 1, 1, jump, x, 1, n, parts) }
		}
		mulRows := func(ldc, lds, next, rows int) func() {
			return func() { MulRows(x, ldc, x, lds, x, 1, 1, next, x, rows, 1) }
		}
		packRows := func(width, ld, cols, rows int) func() {
			return func() { PackRows(x, width, x, ld, cols, rows, 1) }
		}
		copyRows := func(ldd, lds, cols, rows int) func() {
			return func() { CopyRows(x, ldd, x[MaxRow:], lds, cols, rows) }
		}
		packColumns := func(width, ld, cols, n int) func() {
			return func() { PackColumns(x, width, x, ld, cols, n) }
		}
		for _, c := range []struct {
			what    string
			message string
			f       func()
		}{
			{"rows of tiles nearer than they are wide", errLen, mulRows(cols-1, 0, 1, 1)},
			{"rows of tiles from a negative stride", errLen, mulRows(cols, -1, 1, 1)},
			{"tiles a negative distance apart", errLen, mulRows(cols, 0, -1, 1)},
			{"fewer rows than none", errLen, mulRows(cols, 0, 1, -1)},
			{"a tile's negative stride", errLen, tile(-1, 0, 1, 1, 1, 1)},
			{"a start's negative stride", errLen, tile(cols, -1, 1, 1, 1, 1)},
			{"negative strides of rows", errLen, tile(cols, 0, -1, 1, 1, 1)},
			{"negative strides of columns", errLen, tile(cols, 0, 1, -1, 1, 1)},
			{"negative rows", errLen, tile(cols, 0, 1, 1, -1, 1)},
			{"a row too many", errLen, tile(cols, 0, 1, 1, rows+1, 1)},
			{"a negative depth", errLen, tile(cols, 0, 1, 1, 1, -1)},
			{"a depth beyond MaxRow", errLen, tile(cols, 0, 1, 1, 1, MaxRow/cols+1)},
			{"a negative jump", errLen, parts(-1, 2, 2)},
			{"no parts", errLen, parts(0, 2, 0)},
			{"negative parts", errLen, parts(0, 2, -1)},
			{"parts beyond MaxRow", errLen, parts(0, MaxRow/cols/2+1, 2)},
			{"parts and a depth whose product is no int", errLen, parts(0, 1<<33, 1<<33)},
			{"PackRows of negative rows", errLen, packRows(8, 8, 8, -1)},
			{"PackRows of negative width", errLen, packRows(-1, 8, 8, 1)},
			{"PackRows of negative columns", errLen, packRows(8, 8, -1, 1)},
			{"PackRows beyond the width", errLen, packRows(8, 9, 9, 1)},
			{"PackRows of a negative stride", errLen, packRows(8, -1, 8, 1)},
			{"PackRows of wide rows", errRow, packRows(MaxRow+1, 1, 1, 1)},
			{"CopyRows of negative rows", errLen, copyRows(8, 8, 8, -1)},
			{"CopyRows of negative columns", errLen, copyRows(8, 8, -1, 1)},
			{"CopyRows onto each other", errLen, copyRows(7, 8, 8, 2)},
			{"CopyRows at a negative stride", errLen, copyRows(-1, 8, 8, 1)},
			{"CopyRows from a negative stride", errLen, copyRows(8, -1, 8, 1)},
			{"CopyRows of wide rows", errRow, copyRows(1, 1, MaxRow+1, 1)},
			{"PackColumns of a negative depth", errLen, packColumns(8, 8, 8, -1)},
			{"PackColumns of negative width", errLen, packColumns(-1, 8, 8, 1)},
			{"PackColumns of negative columns", errLen, packColumns(8, 8, -1, 1)},
			{"PackColumns beyond the width", errLen, packColumns(8, 9, 9, 1)},
			{"PackColumns of a negative stride", errLen, packColumns(8, -1, 8, 1)},
			{"PackColumns of wide rows", errRow, packColumns(MaxRow+1, 1, 1, 1)},
		} {
			mustPanic(t, c.what, c.message, c.f)
		}
	})
}

// TestShortPacking: no call of an implementation packs more than MaxRow elements.
func TestShortPacking(t *testing.T) {
	chosen := active
	defer func() { active = chosen }()
	var sizes []int
	p := generic
	strip := func(dst []float32, width int, src []float32, ld, cols, rows int, alpha float32) {
		sizes = append(sizes, width*rows)
	}
	p.packRows, p.roundRows, p.roundRest, p.roundPairs = strip, strip, strip, strip
	p.transpose = func(dst []float32, width int, src []float32, ld, n int) {
		sizes = append(sizes, transposedRows*n)
	}
	active = &p

	const rows, most = 50, MaxRow / transposedRows
	x := make([]float32, 40*(2*most+9))
	PackRows(x, 3000, x, 3000, 3000, rows, 1)
	CopyRows(x, 3000, x, 0, 3000, rows)
	RoundRows(x, 3000, x, 0, 3000, rows, 1)
	RoundRest(x, 3000, x, 0, 3000, rows, 1)
	RoundPairs(x, 3000, x, 0, 3000, rows, 1)
	PackColumns(
		x, 37, x, 2*most+9, 37, 2*most+9,
	) // 2 blocks of 16 rows, the last 5 are transposedRows in Go
	want := []int{
		63000, 63000, 24000, // PackRows
		63000, 63000, 24000, // CopyRows
		63000, 63000, 24000, // RoundRows
		63000, 63000, 24000, // RoundRest
		63000, 63000, 24000, // RoundPairs
		MaxRow, MaxRow, 8 * transposedRows, MaxRow, MaxRow, 8 * transposedRows,
	}
	if fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("calls of %d elements, want %d, at most %d", sizes, want, MaxRow)
	}
}
