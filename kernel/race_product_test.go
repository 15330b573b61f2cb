//go:build race

package kernel

import "slices"

// raced are the arguments of tiles and packings: of two rows, 100 numbers apart, or of sixteen 12
// apart, which PackColumns leaves to assembly.
var raced struct{ c, start, a, b, src, dst [1100]float32 }

// beside is a call beside Go code that changes single numbers of an array.
func beside(name string, race bool, call func(), x *[1100]float32, places ...int) conflict {
	return conflict{
		name, race, func(_, _ []float32, _ []uint8) { call() },
		func(_, _ []float32, _ []uint8) {
			for _, i := range places {
				x[i]++
			}
		},
	}
}

// productConflicts touch the last number that a tile or a packing touches of an argument, or
// numbers around those that it touches.
func productConflicts() []conflict {
	_, cols := TileShape()
	r := &raced
	tile := func(rs, cs int) func() {
		return func() {
			MulTile(r.c[:], 100, r.start[:], 100, r.a[:], rs, cs, 0, r.b[:], 2, 3, 1)
		}
	}
	byRows, byColumns, scattered := tile(10, 1), tile(1, 10), tile(50, 20)
	inParts := func() { MulTile(r.c[:], 0, r.start[:], 0, r.a[:], 0, 2, 50, r.b[:], 1, 2, 2) }
	packRows := func() { PackRows(r.dst[:], 20, r.src[:], 100, 17, 2, 1) }
	copyRows := func() { CopyRows(r.dst[:], 100, r.src[:], 50, 17, 2) }
	packColumns := func() { PackColumns(r.dst[:], 20, r.src[:], 12, 16, 8) }
	return append([]conflict{
		beside("a tile and its result", true, byRows, &r.c, 100+cols-1),
		beside("a tile and what is around its result", false, byRows, &r.c, cols, 99, 100+cols),
		beside("a tile and its start", true, byRows, &r.start, 100+cols-1),
		beside("a tile and what is around its start", false, byRows, &r.start, cols, 99, 100+cols),
		beside("a tile and its a by rows", true, byRows, &r.a, 12),
		beside("a tile and what is around its a by rows", false, byRows, &r.a, 3, 9, 13),
		beside("a tile and its a by columns", true, byColumns, &r.a, 21),
		beside("a tile and what is around its a by columns", false, byColumns, &r.a, 2, 9, 22),
		beside("a tile and its scattered a", true, scattered, &r.a, 90),
		beside("a tile and what is around its scattered a", false, scattered, &r.a, 1, 49, 89, 91),
		beside("a tile and its a in parts", true, inParts, &r.a, 56),
		beside(
			"a tile and what is around its a in parts", false, inParts, &r.a, 1, 3, 4, 53, 55, 57,
		),
		beside("a tile and its b", true, byRows, &r.b, 3*cols-1),
		beside("a tile and what is behind its b", false, byRows, &r.b, 3*cols),
		beside("PackRows and its source", true, packRows, &r.src, 116),
		beside("PackRows and what is around its source", false, packRows, &r.src, 17, 99, 117),
		beside("PackRows and its padding", true, packRows, &r.dst, 39),
		beside("PackRows and what is behind", false, packRows, &r.dst, 40),
		beside("CopyRows and its source", true, copyRows, &r.src, 66),
		beside("CopyRows and what is around its source", false, copyRows, &r.src, 17, 49, 67),
		beside("CopyRows and its result", true, copyRows, &r.dst, 116),
		beside("CopyRows and what is around its result", false, copyRows, &r.dst, 17, 99, 117),
		beside("PackColumns and its source", true, packColumns, &r.src, 187),
		beside(
			"PackColumns and what is around its source", false, packColumns, &r.src, 8, 179, 188,
		),
		beside("PackColumns and its padding", true, packColumns, &r.dst, 159),
		beside("PackColumns and what is behind", false, packColumns, &r.dst, 160),
	}, slices.Concat(roundedConflicts(), halvesConflicts())...)
}

// roundedConflicts are the same of products of rounded factors.
func roundedConflicts() []conflict {
	_, cols := GroupsShape()
	r := &raced
	tile := func() { MulGroups(r.c[:], 100, r.start[:], 100, r.a[:], 10, 1, 0, r.b[:], 2, 3, 1) }
	rows := func() { RoundRows(r.dst[:], 100, r.src[:], 50, 17, 2, 1) }
	rest := func() { RoundRest(r.dst[:], 100, r.src[:], 50, 17, 2, 1) }
	pairs := func() { RoundPairs(r.dst[:], 100, r.src[:], 50, 18, 2, 1) }
	return []conflict{
		beside("a tile of groups and its result", true, tile, &r.c, 100+cols-1),
		beside("a tile of groups and what is around its result", false, tile, &r.c, cols, 99),
		beside("a tile of groups and its start", true, tile, &r.start, 100+cols-1),
		beside("a tile of groups and its a", true, tile, &r.a, 12),
		beside("a tile of groups and what is around its a", false, tile, &r.a, 3, 9, 13),
		beside("RoundRows and its source", true, rows, &r.src, 66),
		beside("RoundRows and what is around its source", false, rows, &r.src, 17, 49, 67),
		beside("RoundRows and its result", true, rows, &r.dst, 116),
		beside("RoundRows and what is around its result", false, rows, &r.dst, 17, 99, 117),
		beside("RoundRest and its result", true, rest, &r.dst, 116),
		beside("RoundPairs and its source", true, pairs, &r.src, 67),
	}
}

// halvesConflicts are those of products of halves, of which only what Mul reports is seen here, and
// of what packs them.
func halvesConflicts() []conflict {
	r := &raced
	h := &Halves{high: HalfCols, mul: func(c []float32, ldc int, first bool, a []float32,
		rs, jump int, b []float32, bs, rows, gap, blocks, panels, n, parts int) {
	}}
	mul := func() { h.Mul(r.c[:], 100, true, r.a[:], 40, 4, r.b[:], 512, 2, 1, 32, 1) }
	inParts := func() { h.Mul(r.c[:], 100, true, r.a[:], 40, 4, r.b[:], 0, 1, 1, 32, 2) }
	rows := func() { RoundHalves(r.dst[:], 20, r.src[:], 50, 2, 31, 1) }
	rowsT := func() { RoundHalvesT(r.dst[:], 20, r.src[:], 4, 2, 31, 1) }
	pairs := func() { InterleavePairs(r.dst[:], r.src[:], 4, 2, 31, 1) }
	pairsT := func() { InterleavePairsT(r.dst[:], r.src[:], 50, 2, 31, 1) }
	return []conflict{
		beside("a product of halves and its result", true, mul, &r.c, 131),
		beside("a product of halves and what is around its result", false, mul, &r.c, 32, 132),
		beside("a product of halves and its a", true, mul, &r.a, 55),
		beside("a product of halves and what is around its a", false, mul, &r.a, 16, 39, 56),
		beside("a product of halves and its a in parts", true, inParts, &r.a, 35),
		beside("a product of halves and what is between parts", false, inParts, &r.a, 16, 19, 36),
		beside("a product of halves and its b", true, mul, &r.b, 511),
		beside("a product of halves and what is behind its b", false, mul, &r.b, 512),
		beside("rows of halves and their source", true, rows, &r.src, 80),
		beside("rows of halves and what is around their source", false, rows, &r.src, 31, 49, 81),
		beside("rows of halves and their zeros", true, rows, &r.dst, 35),
		beside("rows of halves and what is around them", false, rows, &r.dst, 16, 19, 36),
		beside("transposed rows of halves and their source", true, rowsT, &r.src, 121),
		beside(
			"transposed rows of halves and what is around their source", false, rowsT, &r.src, 2,
			119, 122,
		),
		beside("transposed rows of halves and their zeros", true, rowsT, &r.dst, 35),
		beside("a panel of halves and its source", true, pairs, &r.src, 121),
		beside(
			"a panel of halves and what is around its source", false, pairs, &r.src, 2, 119, 122,
		),
		beside("a panel of halves and its zeros", true, pairs, &r.dst, 511),
		beside("a panel of halves and what is behind", false, pairs, &r.dst, 512),
		beside("a panel of halves and its transposed source", true, pairsT, &r.src, 80),
		beside(
			"a panel of halves and what is around its transposed source", false, pairsT, &r.src, 31,
			49, 81,
		),
	}
}
