package blas

import "github.com/plume-ml/plume/kernel"

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

// lay rounds n rows of src, one for each number of k, to depth(n) rows of dst; in halves, to panels
// of the right factor.
func (w *workspace) lay(s side, dst []float32, ldd int, src []float32, lds, cols, n int) {
	switch o := w.order; {
	case o.splits:
		for lo := 0; lo < n; lo += Group {
			rows := min(Group, n-lo)
			for p := range parts[s] {
				to := dst[(o.depth(lo)+p*o.words(Group))*ldd:]
				if o.halves {
					rest := w.split(parts[s][p], src[lo*lds:], lds, cols, rows)
					kernel.InterleavePairs(to, rest, cols, cols, rows, 1)
					continue
				}
				parts[s][p](to, ldd, src[lo*lds:], lds, cols, rows, 1)
				block{to[rows*ldd:], ldd}.clear(Group-rows, cols)
			}
		}
	case o.halves:
		kernel.InterleavePairs(dst, src, lds, cols, n, 1)
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

// split is a part of some numbers, for packing.
func (w *workspace) split(p part, src []float32, lds, cols, rows int) []float32 {
	rest := grow(&w.rest, rows*cols)
	p(rest, cols, src, lds, cols, rows, 1)
	return rest
}

// layAcross rounds rows of a left factor, each of n numbers of k, to rows of depth(n) words of dst.
func (w *workspace) layAcross(dst []float32, ldd int, src []float32, lds, n, rows int) {
	switch o := w.order; {
	case o.splits:
		for lo := 0; lo < n; lo += Group {
			cols := min(Group, n-lo)
			for p := range parts[left] {
				to := dst[o.depth(lo)+p*o.words(Group):]
				if o.halves {
					rest := w.split(parts[left][p], src[lo:], lds, cols, rows)
					kernel.RoundHalves(to, ldd, rest, cols, rows, cols, 1)
					continue
				}
				parts[left][p](to, ldd, src[lo:], lds, cols, rows, 1)
				block{to[cols:], ldd}.clear(rows, Group-cols)
			}
		}
	case o.halves:
		kernel.RoundHalves(dst, ldd, src, lds, rows, n, 1)
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

// layTurned is layAcross of a transposed factor in halves: src has a row for each number of k.
func (w *workspace) layTurned(dst []float32, ldd int, src []float32, lds, n, rows int) {
	o := w.order
	if !o.splits {
		kernel.RoundHalvesT(dst, ldd, src, lds, rows, n, 1)
		return
	}
	for lo := 0; lo < n; lo += Group {
		deep := min(Group, n-lo)
		for p := range parts[left] {
			rest := w.split(parts[left][p], src[lo*lds:], lds, rows, deep)
			to := dst[o.depth(lo)+p*o.words(Group):]
			kernel.RoundHalvesT(to, ldd, rest, rows, rows, deep, 1)
		}
	}
}
