package blas

import "github.com/plume-ml/plume/kernel"

// operand is a matrix as it enters a product: transposed or not, times alpha.
type operand struct {
	transposed bool
	stride     int
	data       []float32
	alpha      float32
}

// panelSize is how many numbers k x n takes in panels of cols columns.
func panelSize(k, n, cols int) int { return (n + cols - 1) / cols * cols * k }

// chunk is how many rows are packed at a time: few enough that the panels beside each other find
// the rows' pages and lines where the last one left them.
const chunk = 32

// packPanels writes rows l to end and columns j to last into panels of cols columns: the rows of
// each follow each other, and zeros fill what lies beyond the last column.
func (o operand) packPanels(dst []float32, cols, l, end, j, last int) {
	k := end - l
	if k == 0 {
		return
	}
	if o.transposed {
		for at := j; at < last; at += cols {
			panel := dst[(at-j)*k:][:k*cols]
			src := o.data[at*o.stride+l:]
			kernel.PackColumns(panel, cols, src, o.stride, min(cols, last-at), k)
			if o.alpha != 1 {
				kernel.Scale(panel, o.alpha)
			}
		}
		return
	}
	for first := l; first < end; first += chunk {
		rows := min(chunk, end-first)
		for at := j; at < last; at += cols {
			panel := dst[(at-j)*k+(first-l)*cols:][:rows*cols]
			src := o.data[first*o.stride+at:]
			kernel.PackRows(panel, cols, src, o.stride, min(cols, last-at), rows, o.alpha)
		}
	}
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
	case a.gathered():
		return w.gathered(a, t, i, mc, l, kc)
	case bool(t) && a.m.Stride <= far:
		return strided{a.m.Data[l*a.m.Stride+i:], 1, a.m.Stride, 1}
	case !bool(t) && a.m.Stride%conflict != 0:
		return strided{a.m.Data[i*a.m.Stride+l:], a.m.Stride, 1, a.m.Stride}
	case bool(t):
		block := grow(&w.a, panelSize(kc, mc, rows))
		stored := operand{stride: a.m.Stride, data: a.m.Data, alpha: 1}
		stored.packPanels(block, rows, l, l+kc, i, i+mc)
		return strided{block, 1, rows, kc}
	}
	block := grow(&w.a, mc*(kc+spread))
	kernel.PackRows(block, kc+spread, a.m.Data[i*a.m.Stride+l:], a.m.Stride, kc, mc, 1)
	return strided{block, kc + spread, 1, kc + spread}
}

// spread moves the rows of a packed block to different lines of the cache.
const spread = 16

// gathered is the same of patches.
func (w *workspace) gathered(a *Left, t Trans, i, mc, l, kc int) strided {
	if t {
		to := block{grow(&w.a, kc*mc), mc}
		a.gather(to, l, l+kc, i, i+mc)
		return strided{to.data, 1, mc, 1}
	}
	to := block{grow(&w.a, mc*(kc+spread)), kc + spread}
	a.gather(to, i, i+mc, l, l+kc)
	return strided{to.data, to.ld, 1, to.ld}
}
