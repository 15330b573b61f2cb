package blas

import (
	"sync"

	"github.com/plume-ml/plume/kernel"
)

// The native backend multiplies in the manner of Goto and van de Geijn (2008) and BLIS (Van Zee and
// van de Geijn 2015): b is packed, block by block, into panels as wide as the tiles of package
// kernel, and each panel meets all tiles of a block of rows of a before the next, so that both
// stream from the second-level cache. Rows of a are read where they are, unless they would drive
// each other out of it; patches are gathered into blocks of rows, or read from copies of some lines
// of their picture.
//
// Every element begins with beta c, and takes its terms in the order of its [Precision], with alpha
// rounded into b. Blocks and tiles do not show in it: all shapes, threads, CPUs and paths give the
// same bits.

// blockN is the columns of a block of c.
const blockN = 2048

var nativeBackend = *native(&chains)

func nativeInfo() LibraryInfo {
	return LibraryInfo{Backend: "native", Library: "plume", Threads: 1}
}

// workspace is the memory of one product under way.
type workspace struct {
	order *order    // of the product
	a, b  []float32 // packed blocks
	raw   []float32 // numbers that are still to be rounded
	rest  []float32 // parts of numbers that are split
	sum   []float32 // a product that is added to c
	edge  []float32 // a tile that goes beyond the edge of c
	lines []int     // where lines of pictures begin

	spread []float32 // of convolutions to or from a few channels
	lanes  []float32 // sums of lanes that wait to be added
}

// idle is the workspaces that no product is using. The one released last is taken first: it may
// still be in a cache.
var idle struct {
	sync.Mutex
	list []*workspace
}

func takeWorkspace() *workspace {
	idle.Lock()
	defer idle.Unlock()
	if n := len(idle.list); n > 0 {
		w := idle.list[n-1]
		idle.list = idle.list[:n-1]
		return w
	}
	return &workspace{}
}

// workspace is memory for a product in the order.
func (o *order) workspace() *workspace {
	w := takeWorkspace()
	w.order = o
	return w
}

func (w *workspace) release() {
	idle.Lock()
	defer idle.Unlock()
	idle.list = append(idle.list, w)
}

// grow makes x hold n numbers, and returns these.
func grow(x *[]float32, n int) []float32 {
	if cap(*x) < n {
		*x = kernel.Floats(n)
	}
	return (*x)[:n]
}

// product is a product of the native backend.
func (o *order) product(tl, tr Trans, alpha float32, left Left, b Matrix, beta float32, c Matrix) {
	right := operand{transposed: bool(tr), stride: b.Stride, data: b.Data, alpha: alpha}
	o.multiply(tl, left, right, beta, c, nil)
}

// multiply is c = op(left) right + beta c, and with sums, unless they are nil, those of the columns
// of right: sums = 1^T right + beta sums.
func (o *order) multiply(
	tl Trans, left Left, right operand, beta float32, c Matrix, sums []float32,
) {
	_, k := tl.shape(left.m)
	w := o.workspace()
	defer w.release()
	_, cols := o.shape()
	first, total := scaled(beta, c), Dense(sums, min(len(sums), 1), len(sums))
	firstSum := scaled(beta, total)
	for j := 0; j < c.Cols; j += blockN {
		part := c.Slice(j, min(c.Cols, j+blockN))
		s, row, sum := first.at(j), total.Slice(j, j+part.Cols), firstSum.at(j)
		for l := 0; l < k; {
			kc := min(o.numbers(&left, tl, l), k-l)
			panels := grow(&w.b, o.panelSize(kc, part.Cols, cols))
			w.packPanels(right, panels, cols, o.depth(kc), l, l+kc, j, j+part.Cols)
			if sums != nil {
				w.addOnes(panels, o.depth(kc)*cols, kc, sum, row)
				sum = continued(row)
			}
			if bool(tl) && o.framedT(&left) {
				w.correlate(&left, l/left.window.W, kc/left.window.W, panels, s, part)
			} else {
				w.multiply(&left, tl, l, kc, panels, o.depth(kc)*cols, s, part)
			}
			s = continued(part)
			l += kc
		}
	}
}

// numbers is how many numbers of op(l), from number at on, make a block.
func (o *order) numbers(l *Left, t Trans, at int) int {
	switch w := l.window; {
	case t == N || !l.gathered() || l.kept.order != nil:
		return o.blockK
	case o.framedT(l):
		return w.lines(at/w.W, gatheredK) * w.W
	}
	return gatheredK
}

// gatheredK and gatheredM are the sizes of blocks of transposed patches, these in blocks of rows:
// higher ones, since the runs that are gathered are as long as a block is high.
const gatheredK, gatheredM = blockK / 2, 2

// start says what the chains of a product begin with: the rows of a matrix, or one row for all.
type start struct {
	data   []float32 // nil: zeros
	stride int
}

// at is the start from column j on.
func (s start) at(j int) start {
	if s.data != nil {
		s.data = s.data[j:]
	}
	return s
}

// from is the start from row i on.
func (s start) from(i int) start {
	if s.data != nil {
		s.data = s.data[i*s.stride:]
	}
	return s
}

// of is where the chains of columns from j on begin, and the stride of their rows.
func (s start) of(j, cols int) (first []float32, stride int) {
	if s.data == nil {
		return zeros[:cols], 0
	}
	return s.data[j:], s.stride
}

// continued is the start of chains that go on from what c holds.
func continued(c Matrix) start { return start{c.Data, c.Stride} }

// scaled is the start of chains from beta c, which it computes in place.
func scaled(beta float32, c Matrix) start {
	if beta == 0 {
		return start{}
	}
	if beta != 1 {
		c.scale(beta)
	}
	return continued(c)
}

// multiply is c = s + op(a) b for rows of kc numbers of op(a) from l on, and b in panels that begin
// stride apart.
func (w *workspace) multiply(
	a *Left, t Trans, l, kc int, panels []float32, stride int, s start, c Matrix,
) {
	high := w.order.blockM
	if bool(t) && a.gathered() && a.kept.order == nil {
		high *= gatheredM
	}
	for i := 0; i < c.Rows; i += high {
		part := c.rows(i, min(c.Rows, i+high))
		w.multiplyRows(a, t, i, l, kc, panels, stride, s.from(i), part)
	}
}

// multiplyRows is multiply for the rows of op(a) from i on, as many as c has: those of a block.
func (w *workspace) multiplyRows(
	a *Left, t Trans, i, l, kc int, panels []float32, stride int, s start, c Matrix,
) {
	rows, cols := w.order.shape()
	mc := c.Rows
	block, depth := w.leftBlock(a, t, i, mc, l, kc, rows), w.order.depth(kc)
	k := reach{n: depth, parts: 1}
	if !bool(t) && a.kept.order != nil && w.order.halves && depth > 0 {
		k = reach{n: cacheLine, parts: depth / cacheLine, jump: a.kept.stride - cacheLine}
	}
	for j := w.wholePanels(block, k, panels, stride, s, c); j < c.Cols; j += cols {
		panel := panels[j/cols*stride:][:depth*cols]
		if w.order.tiles != nil && j+cols <= c.Cols {
			first, lds := s.of(j, cols)
			w.order.tiles(c.Data[j:], c.Stride, first, lds, block.data, block.rs, block.cs,
				block.panel, panel, mc, depth)
			continue
		}
		for r := 0; r < mc; r += rows {
			t := tile{i: r, j: j, rows: min(rows, mc-r), cols: min(cols, c.Cols-j)}
			w.tile(t, s, block.from(r), panel, k, c)
		}
	}
}

// wholePanels computes c for all panels whose columns it has, if one call can, and returns how many
// columns that is.
func (w *workspace) wholePanels(
	a strided, k reach, panels []float32, stride int, s start, c Matrix,
) int {
	if !w.order.halves {
		return 0
	}
	whole := c.Cols / kernel.HalfCols
	w.order.packed.Mul(
		c.Data, c.Stride, s.data == nil, a.data, a.rs, k.jump, panels, stride, c.Rows,
		whole, 2*k.n, k.parts,
	)
	return whole * kernel.HalfCols
}

// tile is a part of c.
type tile struct{ i, j, rows, cols int }

// reach is the numbers of k that a tile takes, in its order's depth: n in each part, between which
// it skips jump numbers of a.
type reach struct{ n, parts, jump int }

var zeros [64]float32

func (w *workspace) tile(t tile, s start, a strided, panel []float32, k reach, c Matrix) {
	rows, cols := w.order.shape()
	dst, ldc := c.Data[t.i*c.Stride+t.j:], c.Stride
	first, lds := zeros[:cols], 0
	if s.data != nil {
		first, lds = s.data[t.i*s.stride+t.j:], s.stride
	}
	if t.cols == cols {
		w.order.mul(
			dst, ldc, first, lds, a.data, a.rs, a.cs, k.jump, panel, t.rows, k.n, k.parts,
		)
		return
	}
	edge := grow(&w.edge, rows*cols)
	if s.data != nil {
		kernel.PackRows(edge, cols, first, lds, t.cols, t.rows, 1)
		first, lds = edge, cols
	}
	w.order.mul(edge, cols, first, lds, a.data, a.rs, a.cs, k.jump, panel, t.rows, k.n, k.parts)
	for i := range t.rows {
		copy(dst[i*ldc:i*ldc+t.cols], edge[i*cols:])
	}
}
