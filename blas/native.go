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
// Every element is one chain of multiply-adds in the order of k, started from beta c, with alpha
// rounded into b. Blocks and tiles do not show in it: all shapes, threads, CPUs and paths give the
// same bits.
//
// Block sizes, in numbers: long chains, since each block of k reads and writes c once more.
const (
	blockK = 1024
	blockM = 84 // a multiple of the rows of the tiles of every path (TestTileRows in asm)
	blockN = 2048
)

var nativeBackend = Backend{name: "native", info: nativeInfo}

func nativeInfo() LibraryInfo {
	return LibraryInfo{Backend: "native", Library: "plume", Threads: 1}
}

// workspace is the memory of one product under way.
type workspace struct {
	a, b []float32 // packed blocks
	edge []float32 // a tile that goes beyond the edge of c

	spread []float32 // of convolutions to or from a few channels
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
	rows, cols := kernel.TileShape()
	return &workspace{edge: kernel.Floats(rows * cols)}
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

// multiply is a product of the native backend.
func multiply(tl, tr Trans, alpha float32, left Left, b Matrix, beta float32, c Matrix) {
	_, k := tl.shape(left.m)
	right := operand{transposed: bool(tr), stride: b.Stride, data: b.Data, alpha: alpha}
	w := takeWorkspace()
	defer w.release()
	_, cols := kernel.TileShape()
	first := scaled(beta, c)
	for j := 0; j < c.Cols; j += blockN {
		part := c.Slice(j, min(c.Cols, j+blockN))
		s := first.at(j)
		for l := 0; l < k; {
			kc := min(left.numbers(tl, l), k-l)
			panels := grow(&w.b, panelSize(kc, part.Cols, cols))
			right.packPanels(panels, cols, l, l+kc, j, j+part.Cols)
			if bool(tl) && left.framedT() {
				w.correlate(&left, l/left.window.W, kc/left.window.W, panels, s, part)
			} else {
				w.multiply(&left, tl, l, kc, panels, kc*cols, s, part)
			}
			s = continued(part)
			l += kc
		}
	}
}

// numbers is how many numbers of op(l), from number at on, make a block.
func (l *Left) numbers(t Trans, at int) int {
	switch w := l.window; {
	case t == N || !l.gathered():
		return blockK
	case l.framedT():
		return w.lines(at/w.W, gatheredK) * w.W
	}
	return gatheredK
}

// gatheredK and gatheredM are the sizes of blocks of transposed patches: higher ones, since the
// runs that are gathered are as long as a block is high.
const gatheredK, gatheredM = blockK / 2, 2 * blockM

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
	rows, cols := kernel.TileShape()
	high := blockM
	if bool(t) && a.gathered() {
		high = gatheredM
	}
	for i := 0; i < c.Rows; i += high {
		mc := min(high, c.Rows-i)
		block := w.leftBlock(a, t, i, mc, l, kc, rows)
		for j := 0; j < c.Cols; j += cols {
			panel := panels[j/cols*stride:][:kc*cols]
			for r := 0; r < mc; r += rows {
				t := tile{i: i + r, j: j, rows: min(rows, mc-r), cols: min(cols, c.Cols-j)}
				w.tile(t, s, block.from(r), panel, depth{n: kc, parts: 1}, c)
			}
		}
	}
}

// tile is a part of c.
type tile struct{ i, j, rows, cols int }

// depth is the numbers of k that a tile takes: n in each part, between which it skips jump numbers
// of a.
type depth struct{ n, parts, jump int }

var zeros [64]float32

func (w *workspace) tile(t tile, s start, a strided, panel []float32, k depth, c Matrix) {
	_, cols := kernel.TileShape()
	dst, ldc := c.Data[t.i*c.Stride+t.j:], c.Stride
	first, lds := zeros[:cols], 0
	if s.data != nil {
		first, lds = s.data[t.i*s.stride+t.j:], s.stride
	}
	if t.cols == cols {
		kernel.MulTile(
			dst, ldc, first, lds, a.data, a.rs, a.cs, k.jump, panel, t.rows, k.n, k.parts,
		)
		return
	}
	if s.data != nil {
		kernel.PackRows(w.edge, cols, first, lds, t.cols, t.rows, 1)
		first, lds = w.edge, cols
	}
	kernel.MulTile(
		w.edge, cols, first, lds, a.data, a.rs, a.cs, k.jump, panel, t.rows, k.n, k.parts,
	)
	for i := range t.rows {
		copy(dst[i*ldc:i*ldc+t.cols], w.edge[i*cols:])
	}
}
