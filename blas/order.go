package blas

import "github.com/plume-ml/plume/kernel"

// order is how native products lay their factors out and add their terms, in one precision.
//
// An order that rounds has a depth of its own: the numbers of k as tiles take them, which are more
// than those of the factors where these are padded to whole pairs or groups, or split into parts.
type order struct {
	precision Precision
	shape     func() (rows, cols int) // of a tile
	mul       func(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, jump int,
		b []float32, rows, n, parts int)
	// tiles is mul for any number of rows in one part; nil: there is none.
	tiles func(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, next int,
		b []float32, rows, n int)
	blockM, blockK int // rows of c, and numbers of k, in a block

	rounds bool
	swaps  bool           // the numbers of each pair change places
	splits bool           // each group of 32 comes three times, of hi or lo
	halves bool           // two numbers of k share a word, and those of a left row lie side by side
	packed *kernel.Halves // their products
}

// Block sizes, in numbers: long chains, since each block of k reads and writes c once more. A block
// of k is whole groups, and its panels are as much as a tile may take. blockM is a multiple of the
// rows of the tiles of every path (TestTileRows in asm).
const (
	blockM, blockMTiles, blockMPairs = 84, 96, 128 // with floats, by AMX, by VDPBF16PS
	blockK, blockKSplit              = 1024, 640
)

// The orders whose factors lie in float32, rounded or not.
var (
	chains = order{
		precision: Float32, shape: kernel.TileShape, mul: kernel.MulTile, tiles: kernel.MulRows,
		blockM: blockM, blockK: blockK,
	}
	groups = order{
		precision: BF16, shape: kernel.GroupsShape, mul: kernel.MulGroups,
		blockM: blockM, blockK: blockK, rounds: true,
	}
	pairs = order{
		precision: BF16Pairs, shape: kernel.TileShape, mul: kernel.MulTile,
		blockM: blockM, blockK: blockK, rounds: true, swaps: true,
	}
	splitGroups = order{
		precision: BF16x3, shape: kernel.GroupsShape, mul: kernel.MulGroups,
		blockM: blockM, blockK: blockKSplit, rounds: true, splits: true,
	}
)

// inHalves is the order with the products of h, unless that is nil, in blocks of blockM rows.
func inHalves(o order, h *kernel.Halves, blockM int) *order {
	if h == nil {
		return &o
	}
	o.halves, o.packed, o.swaps, o.blockM = true, h, false, blockM
	o.shape = func() (rows, cols int) { return blockM, kernel.HalfCols }
	o.mul = func(c []float32, ldc int, _ []float32, lds int, a []float32, rs, _, jump int,
		b []float32, rows, n, parts int) {
		// What an element starts from is in c, or it is zeros without a stride.
		h.Mul(c, ldc, lds == 0, a, rs, jump, b, 0, rows, 1, 2*n, parts)
	}
	return &o
}

// Group is how many numbers of k BF16 and BF16x3 add up before they reach an element. Where a sum
// is interrupted after whole groups, and goes on from what its element holds, the bits are the
// same.
const Group = kernel.GroupDepth

// depth is how many numbers of k tiles take for k of the factors, or how many words.
func (o *order) depth(k int) int {
	whole := (k + Group - 1) / Group * Group
	switch {
	case o.splits && o.halves:
		return 3 * whole / 2
	case o.splits:
		return 3 * whole
	case o.halves:
		return whole / 2
	case o.rounds:
		return (k + 1) / 2 * 2
	}
	return k
}

// words is how many words n numbers of a row take, an even number.
func (o *order) words(n int) int {
	if o.halves {
		return n / 2
	}
	return n
}

// panelSize is how many numbers k x n takes in panels of cols columns.
func (o *order) panelSize(k, n, cols int) int { return (n + cols - 1) / cols * cols * o.depth(k) }
