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
	blockK int // numbers of k in a block

	rounds bool
	swaps  bool // the numbers of each pair change places
	splits bool // each group of 32 comes three times, of hi or lo
}

// Block sizes, in numbers: long chains, since each block of k reads and writes c once more. A block
// of k is whole groups, and its panels are as much as a tile may take.
const (
	blockK      = 1024
	blockKSplit = 640
)

var (
	chains = order{
		precision: Float32, shape: kernel.TileShape, mul: kernel.MulTile, blockK: blockK,
	}
	bf16 = order{
		precision: BF16, shape: kernel.GroupsShape, mul: kernel.MulGroups, blockK: blockK,
		rounds: true,
	}
	bf16Pairs = order{
		precision: BF16Pairs, shape: kernel.TileShape, mul: kernel.MulTile, blockK: blockK,
		rounds: true, swaps: true,
	}
	bf16x3 = order{
		precision: BF16x3, shape: kernel.GroupsShape, mul: kernel.MulGroups, blockK: blockKSplit,
		rounds: true, splits: true,
	}
)

// Group is how many numbers of k BF16 and BF16x3 add up before they reach an element. Where a sum
// is interrupted after whole groups, and goes on from what its element holds, the bits are the
// same.
const Group = 32

// depth is how many numbers of k tiles take for k of the factors.
func (o *order) depth(k int) int {
	switch {
	case o.splits:
		return (k + Group - 1) / Group * 3 * Group
	case o.rounds:
		return (k + 1) / 2 * 2
	}
	return k
}

// panelSize is how many numbers k x n takes in panels of cols columns.
func (o *order) panelSize(k, n, cols int) int { return (n + cols - 1) / cols * cols * o.depth(k) }

// side is a factor's side of a product, left or right.
type side int

const (
	left side = iota
	right
)

// part is what a factor has in one of the three products of its parts.
type part func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)

var parts = [...][3]part{
	left:  {kernel.RoundRows, kernel.RoundRows, kernel.RoundRest},
	right: {kernel.RoundRows, kernel.RoundRest, kernel.RoundRows},
}

// lay rounds n rows of src, one for each number of k, to depth(n) rows of dst.
func (o *order) lay(s side, dst []float32, ldd int, src []float32, lds, cols, n int) {
	switch {
	case o.splits:
		o.laySplit(s, dst, ldd, src, lds, cols, n)
	case o.swaps:
		kernel.RoundRows(dst[ldd:], 2*ldd, src, 2*lds, cols, (n+1)/2, 1)
		if n > 1 {
			kernel.RoundRows(dst, 2*ldd, src[lds:], 2*lds, cols, n/2, 1)
		}
		if n%2 == 1 {
			clear(dst[(n-1)*ldd:][:cols])
		}
	default:
		kernel.RoundRows(dst, ldd, src, lds, cols, n, 1)
		if n%2 == 1 {
			clear(dst[n*ldd:][:cols])
		}
	}
}

func (o *order) laySplit(s side, dst []float32, ldd int, src []float32, lds, cols, n int) {
	for lo := 0; lo < n; lo += Group {
		rows := min(Group, n-lo)
		for p, round := range parts[s] {
			to := dst[(3*lo+p*Group)*ldd:]
			round(to, ldd, src[lo*lds:], lds, cols, rows, 1)
			for i := rows; i < Group; i++ {
				clear(to[i*ldd:][:cols])
			}
		}
	}
}

// layAcross rounds rows of src, each of n numbers of k, to rows of depth(n) numbers of dst.
func (o *order) layAcross(s side, dst []float32, ldd int, src []float32, lds, n, rows int) {
	switch {
	case o.splits:
		for lo := 0; lo < n; lo += Group {
			cols := min(Group, n-lo)
			for p, round := range parts[s] {
				to := dst[3*lo+p*Group:]
				round(to, ldd, src[lo:], lds, cols, rows, 1)
				block{to[cols:], ldd}.clear(rows, Group-cols)
			}
		}
	case o.swaps:
		even := n &^ 1
		kernel.RoundPairs(dst, ldd, src, lds, even, rows, 1)
		if even < n {
			block{dst[even:], ldd}.clear(rows, 1)
			kernel.RoundRows(dst[n:], ldd, src[even:], lds, 1, rows, 1)
		}
	default:
		kernel.RoundRows(dst, ldd, src, lds, n, rows, 1)
		if n%2 == 1 {
			block{dst[n:], ldd}.clear(rows, 1)
		}
	}
}
