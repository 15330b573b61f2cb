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

// eachPart calls f for the parts of each group of n numbers of k: with the group's first number and
// how many it has, and where the part lies among the words that tiles take.
func (o *order) eachPart(s side, n int, f func(p part, lo, count, at int)) {
	for lo := 0; lo < n; lo += Group {
		for i, p := range parts[s] {
			f(p, lo, min(Group, n-lo), o.depth(lo)+i*o.words(Group))
		}
	}
}

// split is a part of some numbers, for packing.
func (w *workspace) split(p part, src []float32, lds, cols, rows int) []float32 {
	rest := grow(&w.rest, rows*cols)
	p(rest, cols, src, lds, cols, rows, 1)
	return rest
}

// lay rounds n rows of src, one for each number of k, to depth(n) rows of dst; in halves, to panels
// of the right factor.
func (w *workspace) lay(s side, dst []float32, ldd int, src []float32, lds, cols, n int) {
	switch o := w.order; {
	case o.splits && o.halves:
		o.eachPart(s, n, func(p part, lo, rows, at int) {
			numbers := w.split(p, src[lo*lds:], lds, cols, rows)
			kernel.InterleavePairs(dst[at*ldd:], numbers, cols, cols, rows, 1)
		})
	case o.splits:
		o.eachPart(s, n, func(p part, lo, rows, at int) {
			p(dst[at*ldd:], ldd, src[lo*lds:], lds, cols, rows, 1)
			block{dst[(at+rows)*ldd:], ldd}.clear(Group-rows, cols)
		})
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

// layAcross rounds rows of a left factor, each of n numbers of k, to rows of depth(n) words of dst.
func (w *workspace) layAcross(dst []float32, ldd int, src []float32, lds, n, rows int) {
	switch o := w.order; {
	case o.splits && o.halves:
		o.eachPart(left, n, func(p part, lo, cols, at int) {
			numbers := w.split(p, src[lo:], lds, cols, rows)
			kernel.RoundHalves(dst[at:], ldd, numbers, cols, rows, cols, 1)
		})
	case o.splits:
		o.eachPart(left, n, func(p part, lo, cols, at int) {
			p(dst[at:], ldd, src[lo:], lds, cols, rows, 1)
			block{dst[at+cols:], ldd}.clear(rows, Group-cols)
		})
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
	o.eachPart(left, n, func(p part, lo, deep, at int) {
		numbers := w.split(p, src[lo*lds:], lds, rows, deep)
		kernel.RoundHalvesT(dst[at:], ldd, numbers, rows, rows, deep, 1)
	})
}
