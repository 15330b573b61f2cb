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
	if f.turned {
		for at := j; at < last; at += cols {
			kernel.PackColumns(dst[(at-j)*k:][:k*cols], cols, f.data[at*f.stride+l:], f.stride, min(cols, last-at), k)
		}
		return
	}
	f.cutRows(dst, cols, l, end, j, last, 1)
}

// cutRows is packPanels for rows as they lie, times alpha.
func (f factor) cutRows(dst []float32, cols, l, end, j, last int, alpha float32) {
	k := end - l
	for from := l; from < end; from += chunk {
		rows := min(chunk, end-from)
		for at := j; at < last; at += cols {
			panel := dst[(at-j)*k+(from-l)*cols:][:rows*cols]
			kernel.PackRows(panel, cols, f.data[from*f.stride+at:], f.stride, min(cols, last-at), rows, alpha)
		}
	}
}

// strided is numbers (i, k) at i*rs + k*cs; for packed panels of rows rows, row i begins at i*kc.
type strided struct {
	data   []float32
	rs, cs int
	panel  int // distance of two rows that begin tiles, over their number
}

// from is the tile's part that begins with row r, the first of a tile.
func (s strided) from(r int) strided {
	s.data = s.data[r*s.panel:]
	return s
}

// direct is the largest distance of rows, in bytes, at which those of a tile do not drive each other out of the
// first-level cache.
const direct = 2048

// leftBlock is rows i to i+mc, numbers l to l+kc of the left factor, as tiles of rows rows read it: where
// it is, if its rows are not too far apart, or packed.
func (w *workspace) leftBlock(a factor, i, mc, l, kc, rows int) strided {
	if a.turned {
		block := room(&w.a, panelSize(kc, mc, rows))
		a.cutRows(block, rows, l, l+kc, i, i+mc, a.alpha)
		return strided{block, 1, rows, kc}
	}
	if a.alpha == 1 && 4*a.stride <= direct {
		return strided{a.data[i*a.stride+l:], a.stride, 1, a.stride}
	}
	block := room(&w.a, mc*(kc+spread))
	kernel.PackRows(block, kc+spread, a.data[i*a.stride+l:], a.stride, kc, mc, a.alpha)
	return strided{block, kc + spread, 1, kc + spread}
}

// spread moves the rows of a packed block to different lines of the cache.
const spread = 16
