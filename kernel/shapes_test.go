package kernel

import "slices"

// Limits on the arguments: elements of a matrix, numbers between the rows of one that need not be,
// and numbers in a slice (the second factor of a tile has the longest).
const (
	mostElements = 1100
	mostApart    = 3
	mostNumbers  = 10 * mostElements
)

// shape is the size of one comparison.
type shape struct {
	rows, d, cols int
	high          int // rows of a tile, where there are several
}

// shapes are the sizes at which a kernel is compared: vectors of every length, or matrices with
// rows of every width and with many numbers of rows, the other drawn so that the matrix stays
// within the limit. Tiles have all numbers of rows for every small depth, and every depth.
func (k *raw) shapes() (all []shape) {
	r := newSource(0, usual)
	for n := 0; n <= mostElements; n++ {
		most := mostElements / max(1, n)
		if k.has(tilePanel) || k.has(transposed) {
			all = append(all, shape{rows: n, d: n / 16}, shape{rows: n, d: n})
			continue
		}
		if n >= k.least {
			s := shape{rows: 1, d: n}
			if !k.vector() {
				s.rows = most - r.IntN(2)*r.IntN(most+1)
			}
			all = append(all, s)
		}
		if !k.vector() && (n < 40 || n%53 == 0) {
			all = append(all, shape{rows: n, d: k.least + r.IntN(most+1-k.least)})
		}
	}
	return all
}

// vector reports that the kernel has no rows.
func (k *raw) vector() bool {
	return k.ids == nil &&
		!slices.ContainsFunc(k.floats, func(p param) bool { return p.layout != matrix })
}

// has reports that a parameter of the kernel has the layout.
func (k *raw) has(l layout) bool {
	return slices.ContainsFunc(k.floats, func(p param) bool { return p.layout == l })
}

// clips reports that the kernel counts the rows whose drift it clips.
func (k *raw) clips() bool { return k.ids != nil && k.place("h") >= 0 }

// fit turns a shape into one that the kernel takes on the path; one that it takes stays as it is.
func (k *raw) fit(s shape, p *path) shape {
	switch deepest := mostNumbers / p.tileCols; {
	case k.has(tilesLeft):
		tiles := 1 + s.rows%3
		return shape{tiles * p.tileRows, s.d % (deepest/4 + 1), p.tileCols, p.tileRows}
	case k.loop != nil:
		return shape{s.rows % (k.most(p) + 1), s.d % (deepest + 1), p.tileCols, 0}
	case k.has(transposed):
		deepest := mostNumbers / (transposedRows + mostApart)
		return shape{transposedRows, s.d % (deepest + 1) &^ 3, transposedRows, 0}
	}
	s.d = max(k.least, s.d%(mostElements+1))
	s.d -= s.d % max(1, k.unit)
	s.cols = s.d
	if k.vector() {
		s.rows = 1
	} else {
		s.rows %= mostElements/max(1, s.d) + 1
	}
	return s
}

// grid is the shape of a slice with gaps between its rows: rows of width numbers, apart from each
// other's starts.
func (o *operands) grid(l layout) (rows, width, apart int, is bool) {
	switch l {
	case rowsApart:
		return o.rows, o.d, o.stride, true
	case tileOut:
		return o.rows, o.cols, o.ldc, true
	case transposed:
		return o.d, o.cols, o.ldc, true
	case tileStart:
		return o.rows, o.cols, o.lds, true
	case fourWritten:
		return 4 * o.rows, o.d, min(o.toApart, o.toRow), true
	case twoWritten:
		return 2 * o.rows, o.d, min(o.toApart, o.toRow), true
	}
	return 0, 0, 0, false
}

// length is the number of elements of a slice of the layout.
func (o *operands) length(l layout) int {
	if rows, width, apart, is := o.grid(l); is {
		return min(rows, 1) * ((rows-1)*apart + width)
	}
	switch l {
	case matrix:
		return o.rows * o.d
	case twoMatrices:
		return 2 * o.rows * o.d
	case perRow:
		return o.rows
	case perColumn:
		return o.d
	case images:
		return (o.phase + o.rows + o.repeat - 1) / o.repeat * o.d
	case tileLeft:
		last := (o.rows-1)*o.rs + (o.d-1)*o.cs + (o.parts-1)*o.jump
		return min(o.rows, o.d, 1) * (last + 1)
	case tilesLeft:
		last := (o.rows/o.high-1)*o.high*o.next + (o.high-1)*o.rs + (o.d-1)*o.cs
		return min(o.d, 1) * (last + 1)
	case tilePanel:
		return o.d * o.cols
	case fourRead:
		return min(o.rows, o.d, 1) * (3*o.apart + (o.rows-1)*o.row + o.d)
	case twoRead:
		return min(o.rows, o.d, 1) * (o.apart + (o.rows-1)*o.row + o.d)
	}
	panic("no such layout")
}
