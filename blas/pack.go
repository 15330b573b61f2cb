package blas

import "github.com/plume-ml/plume/kernel"

// factor is a matrix as it enters a product: turned if it is used transposed, times alpha.
type factor struct {
	turned bool
	stride int
	data   []float32
	alpha  float32
}

// panelSize is how many numbers k x n takes in panels of cols columns.
func panelSize(k, n, cols int) int { return (n + cols - 1) / cols * cols * k }

// chunk is how many rows are packed at a time: few enough that the panels beside each other find
// the rows' pages and lines where the last one left them.
const chunk = 32

// packPanels writes rows l to end and columns j to last into panels of cols columns: each has its rows one
// after the other, zeros where it hangs over.
func (f factor) packPanels(dst []float32, cols, l, end, j, last int) {
	k := end - l
	if k == 0 {
		return
	}
	if f.turned {
		for at := j; at < last; at += cols {
			panel := dst[(at-j)*k:][:k*cols]
			kernel.PackColumns(panel, cols, f.data[at*f.stride+l:], f.stride, min(cols, last-at), k)
			if f.alpha != 1 {
				kernel.Scale(panel, f.alpha)
			}
		}
		return
	}
	for from := l; from < end; from += chunk {
		rows := min(chunk, end-from)
		for at := j; at < last; at += cols {
			panel := dst[(at-j)*k+(from-l)*cols:][:rows*cols]
			kernel.PackRows(panel, cols, f.data[from*f.stride+at:], f.stride, min(cols, last-at), rows, f.alpha)
		}
	}
}

// strided is numbers (i, k) at i*rs + k*cs, or in panels of rows that are the heights of tiles.
type strided struct {
	data   []float32
	rs, cs int
	panel  int // what row i of the block, the first of a tile, begins at, over i
}

// from is the part that begins with row i, the first of a tile.
func (s strided) from(i int) strided {
	s.data = s.data[i*s.panel:]
	return s
}

// conflict is the distance, in numbers, of rows that share the lines of a first-level cache; farther than far
// rows also drive each other out of the second.
const conflict, far = 1024, 1024

// leftBlock is rows i to i+mc, numbers l to l+kc of the left factor: where it is, or packed if its rows
// would drive each other out of the caches.
func (w *workspace) leftBlock(a factor, i, mc, l, kc, rows int) strided {
	switch {
	case kc == 0:
		return strided{}
	case a.turned && a.stride <= far:
		return strided{a.data[l*a.stride+i:], 1, a.stride, 1}
	case !a.turned && a.stride%conflict != 0:
		return strided{a.data[i*a.stride+l:], a.stride, 1, a.stride}
	case a.turned:
		block := room(&w.a, panelSize(kc, mc, rows))
		a.turned = false // the panels are of what is stored
		a.packPanels(block, rows, l, l+kc, i, i+mc)
		return strided{block, 1, rows, kc}
	}
	block := room(&w.a, mc*(kc+spread))
	kernel.PackRows(block, kc+spread, a.data[i*a.stride+l:], a.stride, kc, mc, 1)
	return strided{block, kc + spread, 1, kc + spread}
}

// spread moves the rows of a packed block to different lines of the cache.
const spread = 16
