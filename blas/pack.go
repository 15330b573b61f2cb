package blas

import "github.com/plume-ml/plume/kernel"

// operand is a matrix as it enters a product: transposed or not, times alpha.
type operand struct {
	transposed bool
	stride     int
	data       []float32
	alpha      float32
	rounded    bool // the rows are those of Rounded
}

// chunk is how many rows are packed at a time: few enough that the panels beside each other find
// the rows' pages and lines where the last one left them. It is whole groups.
const chunk = Group

// packPanels writes rows l to end and columns j to last of a right factor into panels of cols
// columns, each of deep rows: the rows of each follow each other, and zeros fill what lies beyond
// the last column.
func (w *workspace) packPanels(x operand, dst []float32, cols, deep, l, end, j, last int) {
	o, k := w.order, end-l
	if k == 0 {
		return
	}
	if o.halves && !o.splits {
		o.pairPanels(x, dst, deep, l, end, j, last)
		return
	}
	if x.transposed {
		for at := j; at < last; at += cols {
			src := x.data[at*x.stride+l:]
			w.panel(dst[(at-j)*deep:][:o.depth(k)*cols], cols, k, func(panel []float32) {
				kernel.PackColumns(panel, cols, src, x.stride, min(cols, last-at), k)
				if x.alpha != 1 {
					kernel.Scale(panel, x.alpha)
				}
			})
		}
		return
	}
	for first := l; first < end; first += chunk {
		rows := min(chunk, end-first)
		for at := j; at < last; at += cols {
			src := x.data[first*x.stride+at:]
			to := dst[(at-j)*deep+o.depth(first-l)*cols:][:o.depth(rows)*cols]
			w.panel(to, cols, rows, func(panel []float32) {
				kernel.PackRows(panel, cols, src, x.stride, min(cols, last-at), rows, x.alpha)
			})
		}
	}
}

// pairPanels is packPanels in halves.
func (o *order) pairPanels(x operand, dst []float32, deep, l, end, j, last int) {
	const cols = kernel.HalfCols
	if x.rounded {
		for at := j; at < last; at += cols {
			strip := x.data[at/cols*x.stride+l*cacheLine:]
			kernel.InterleaveColumns(dst[(at-j)*deep:], strip, end-l)
		}
		return
	}
	for first := l; first < end; first += chunk {
		rows := min(chunk, end-first)
		for at := j; at < last; at += cols {
			to, n := dst[(at-j)*deep+o.depth(first-l)*cols:], min(cols, last-at)
			if x.transposed {
				src := x.data[at*x.stride+first:]
				kernel.InterleavePairsT(to, src, x.stride, n, rows, x.alpha)
			} else {
				src := x.data[first*x.stride+at:]
				kernel.InterleavePairs(to, src, x.stride, n, rows, x.alpha)
			}
		}
	}
}

// panel makes a panel of k rows, which pack writes: in place, or into memory from where they are
// rounded.
func (w *workspace) panel(dst []float32, cols, k int, pack func(panel []float32)) {
	if !w.order.rounds {
		pack(dst)
		return
	}
	raw := grow(&w.raw, k*cols)
	pack(raw)
	w.lay(right, dst, cols, raw, cols, cols, k)
}

// strided is a block whose element (i, k) is at i*rs + k*cs, or one in panels, each as high as a
// tile.
type strided struct {
	data   []float32
	rs, cs int
	panel  int // the place of row i, the first of a tile, over i
}

// from is the part that begins with row i, the first of a tile.
func (s strided) from(i int) strided {
	s.data = s.data[i*s.panel:]
	return s
}

// conflict is the distance, in numbers, of rows that share the lines of a first-level cache; rows
// farther apart than far also drive each other out of the second.
const conflict, far = 1024, 1024

// leftBlock is rows i to i+mc, numbers l to l+kc of op(a): where it is, or packed if its rows would
// drive each other out of the caches, or gathered.
func (w *workspace) leftBlock(a *Left, t Trans, i, mc, l, kc, rows int) strided {
	switch {
	case kc == 0:
		return strided{}
	case w.order.rounds:
		return w.rounded(a, t, i, mc, l, kc)
	case a.gathered():
		return w.gathered(&w.a, a, t, i, mc, l, kc)
	case bool(t) && a.m.Stride <= far:
		return strided{a.m.Data[l*a.m.Stride+i:], 1, a.m.Stride, 1}
	case !bool(t) && a.m.Stride%conflict != 0:
		return strided{a.m.Data[i*a.m.Stride+l:], a.m.Stride, 1, a.m.Stride}
	case bool(t):
		block := grow(&w.a, w.order.panelSize(kc, mc, rows))
		stored := operand{stride: a.m.Stride, data: a.m.Data, alpha: 1}
		w.packPanels(stored, block, rows, kc, l, l+kc, i, i+mc)
		return strided{block, 1, rows, kc}
	}
	block := grow(&w.a, mc*(kc+spread))
	kernel.PackRows(block, kc+spread, a.m.Data[i*a.m.Stride+l:], a.m.Stride, kc, mc, 1)
	return strided{block, kc + spread, 1, kc + spread}
}

// spread moves the rows of a packed block to different lines of the cache.
const spread = 16

// gathered is the same of patches.
func (w *workspace) gathered(memory *[]float32, a *Left, t Trans, i, mc, l, kc int) strided {
	if t {
		to := block{grow(memory, kc*mc), mc}
		a.gather(to, l, l+kc, i, i+mc)
		return strided{to.data, 1, mc, 1}
	}
	to := block{grow(memory, mc*(kc+spread)), kc + spread}
	a.gather(to, i, i+mc, l, l+kc)
	return strided{to.data, to.ld, 1, to.ld}
}

// rounded is the same of an order that rounds.
func (w *workspace) rounded(a *Left, t Trans, i, mc, l, kc int) strided {
	var from strided
	switch kept := &a.kept; {
	case kept.order != nil && a.gathered():
		if !bool(t) {
			panic(errShape) // whole patches are read from their frames
		}
		return w.turnedPatches(a, i, mc, l, kc)
	case kept.order != nil && w.order.halves && bool(t):
		ld, high := w.order.depth(kc)+spread, whole(mc)
		to := grow(&w.a, high*ld)
		kernel.TransposeColumns(to, ld, kept.from(l, i), kept.stride, high, kc)
		return strided{to, ld, 1, ld}
	case kept.order != nil && w.order.halves:
		return strided{kept.from(i, l), cacheLine, 1, cacheLine}
	case kept.order != nil && !bool(t) && !w.order.swaps:
		return strided{kept.from(i, l), kept.stride, 1, kept.stride}
	case a.gathered():
		from = w.gathered(&w.raw, a, t, i, mc, l, kc)
	case bool(t):
		from = strided{data: a.m.Data[l*a.m.Stride+i:], cs: a.m.Stride}
	default:
		from = strided{data: a.m.Data[i*a.m.Stride+l:], rs: a.m.Stride}
	}
	deep := w.order.depth(kc)
	if bool(t) && !w.order.halves {
		to := grow(&w.a, deep*mc)
		w.lay(left, to, mc, from.data, from.cs, mc, kc)
		return strided{to, 1, mc, 1}
	}
	ld := deep + spread
	to := grow(&w.a, mc*ld)
	if t {
		w.layTurned(to, ld, from.data, from.cs, kc, mc)
	} else {
		w.layAcross(to, ld, from.data, from.rs, kc, mc)
	}
	return strided{to, ld, 1, ld}
}

// turnedPatches is rows i to i+mc of transposed patches that are kept in halves, for pixels l to
// l+kc.
func (w *workspace) turnedPatches(a *Left, i, mc, l, kc int) strided {
	win, o, kept := a.window, w.order, &a.kept
	ld, high := o.depth(kc)+spread, whole(mc)
	to := grow(&w.a, high*ld)
	from := l / win.W * win.W // the pixels of l's line before l are left out
	w.lines = w.lines[:0]
	width := o.words(win.framed())
	for line := from / win.W; line*win.W < l+kc; line++ {
		at := line/win.H*kept.picture() + line%win.H*width
		w.lines = append(w.lines, at)
	}
	for r := 0; r < mc; r += Group {
		column := a.first + i + r
		kh, in := column/win.run(), o.words(column%win.run())
		kernel.TransposeLines(
			to[r*ld:], ld, kept.data[kh*width+in:], w.lines, win.W, o.words(win.C), l-from, kc,
		)
	}
	return strided{to, ld, 1, ld}
}
