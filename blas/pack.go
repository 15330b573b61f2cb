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

// leftBlock is rows i to i+mc, numbers l to l+kc of the left factor: where it is, or packed if its
// rows would drive each other out of the caches.
func (w *workspace) leftBlock(a operand, i, mc, l, kc, rows int) strided {
	switch {
	case kc == 0:
		return strided{}
	case a.transposed && a.stride <= far:
		return strided{a.data[l*a.stride+i:], 1, a.stride, 1}
	case !a.transposed && a.stride%conflict != 0:
		return strided{a.data[i*a.stride+l:], a.stride, 1, a.stride}
	case a.transposed:
		block := grow(&w.a, panelSize(kc, mc, rows))
		a.transposed = false // the panels are of what is stored
		a.packPanels(block, rows, l, l+kc, i, i+mc)
		return strided{block, 1, rows, kc}
	}
	block := grow(&w.a, mc*(kc+spread))
	kernel.PackRows(block, kc+spread, a.data[i*a.stride+l:], a.stride, kc, mc, 1)
	return strided{block, kc + spread, 1, kc + spread}
}

// spread moves the rows of a packed block to different lines of the cache.
const spread = 16
