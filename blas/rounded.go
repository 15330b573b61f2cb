package blas

import "github.com/plume-ml/plume/kernel"

// Rounded is a matrix kept as a precision rounds factors, for all products that read it: as a left
// factor, and transposed or as a right factor in the gradients of weights.
type Rounded struct {
	order      *order
	rows, cols int
	stride     int // words between rows; in halves, between strips of columns
	data       []float32
	window     Window // of pictures, which lie in frames in halves; zero: a matrix
}

// Keeps reports whether the backend's products round their factors and can read them from
// [Rounded]. It follows from the precision alone.
func (b *Backend) Keeps() bool { return b.order != nil && b.order.rounds && !b.order.splits }

// cacheLine is how many words a line of a cache has; half a group in halves is one.
const cacheLine = 16

// Rounded is memory, which floats makes, for a matrix of rows x cols of a backend that
// [Backend.Keeps]. Strides are odd numbers of lines, or of tiles, so that no power of two drives
// them out of a cache.
func (b *Backend) Rounded(rows, cols int, floats func(n int) []float32) Rounded {
	r := Rounded{order: b.order, rows: rows, cols: cols}
	n := rows
	if b.order.halves {
		const tile = cacheLine * cacheLine
		r.stride, n = odd(rows*cacheLine, tile), whole(cols)/Group
	} else {
		r.stride = odd(cols, cacheLine)
	}
	r.data = floats(n * r.stride)
	return r
}

// KeepsPictures reports whether [Backend.RoundedPictures] can keep what a convolution to so many
// channels reads: pictures whose lines are pairs of pixels, with channels that are whole groups,
// unless the channels of the output are so few that the pictures are the right factor.
func KeepsPictures(w Window, channels int) bool {
	return w.valid() && w.C%Group == 0 && w.W%2 == 0 && !spreads(w.KH*w.KW, w.C, channels)
}

// RoundedPictures is Rounded for the pixels of pictures, which are factors as the window sees them.
func (b *Backend) RoundedPictures(
	pictures int, w Window, floats func(n int) []float32,
) Rounded {
	r := Rounded{order: b.order, rows: pictures * w.H * w.W, cols: w.C, window: w}
	r.stride = w.C
	if b.order.halves {
		r.stride = b.order.words(w.C)
	}
	r.data = floats(pictures * r.picture())
	return r
}

// picture is how many words a picture takes.
func (r *Rounded) picture() int {
	w := &r.window
	if r.order.halves {
		return (w.H + w.KH - 1) * r.order.words(w.framed())
	}
	return w.H * w.W * w.C
}

// odd is n, rounded up to an odd multiple of unit.
func odd(n, unit int) int { return ((n+unit-1)/unit | 1) * unit }

// whole is n, rounded up to whole groups.
func whole(n int) int { return (n + Group - 1) / Group * Group }

// Rows is the view of rows lo to hi (exclusive), of pictures whole ones.
func (r Rounded) Rows(lo, hi int) Rounded {
	r.rows = hi - lo
	if pixels := r.window.H * r.window.W; pixels > 0 {
		r.data = r.data[lo/pixels*r.picture():]
	} else {
		r.data = r.from(lo, 0)
	}
	return r
}

// Slice is the view of columns lo to hi (exclusive); lo is a multiple of [Group].
func (r Rounded) Slice(lo, hi int) Rounded {
	if lo%Group != 0 {
		panic(errShape)
	}
	r.cols, r.data = hi-lo, r.from(0, lo)
	return r
}

// from is the data from row i and column j on, a multiple of Group.
func (r *Rounded) from(i, j int) []float32 {
	at := i*r.stride + j
	if r.order.halves {
		at = j/Group*r.stride + i*cacheLine
	}
	return r.data[min(at, len(r.data)):]
}

// Set rounds a matrix of the same shape.
func (r Rounded) Set(x Matrix) {
	if x.Rows != r.rows || x.Cols != r.cols || !x.valid() {
		panic(errShape)
	}
	if r.window.C > 0 && r.order.halves {
		r.setFrames(x)
		return
	}
	if r.order.halves {
		kernel.RoundToColumns(r.data, r.stride, x.Data, x.Stride, x.Rows, x.Cols)
		return
	}
	kernel.RoundRows(r.data, r.stride, x.Data, x.Stride, x.Cols, x.Rows, 1)
	if x.Cols%2 == 1 { // tiles take pairs
		block{r.data[x.Cols:], r.stride}.clear(x.Rows, 1)
	}
}

// setFrames is Set for pictures in halves.
func (r *Rounded) setFrames(x Matrix) {
	w := r.order.workspace()
	defer w.release()
	from := Patches(x.Data, x.Rows/(r.window.H*r.window.W), r.window)
	for line := 0; line < x.Rows/r.window.W; line += r.window.H {
		w.fillFrame(r.data[line/r.window.H*r.picture():], &from, line, r.window.H)
	}
}

// Patches is what the window sees of pictures, as a left factor of products in their precision.
func (r Rounded) Patches() Left {
	if !r.order.halves {
		return Patches(r.data, r.rows/(r.window.H*r.window.W), r.window)
	}
	width := r.window.KH * r.window.run()
	m := Matrix{Rows: r.rows, Cols: width, Stride: width, Data: r.data}
	return Left{m: m, window: r.window, kept: r}
}

// line is the frame's line that begins above a line of pictures, from the window's left on.
func (r *Rounded) line(line int) []float32 {
	width := r.order.words(r.window.framed())
	return r.data[line/r.window.H*r.picture()+line%r.window.H*width:]
}

// Left is the matrix as a left factor of products in its precision.
func (r Rounded) Left() Left {
	return Left{m: Matrix{Rows: r.rows, Cols: r.cols, Stride: r.stride, Data: r.data}, kept: r}
}

// Floats is the matrix in float32.
func (r Rounded) Floats() []float32 {
	x := make([]float32, 0, r.rows*r.cols)
	for i := range r.rows {
		for j := 0; j < r.cols; j += Group {
			group := r.from(i, j)
			if r.order.halves {
				group = kernel.FloatsOf(group[:cacheLine])
			}
			x = append(x, group[:min(Group, r.cols-j)]...)
		}
	}
	return x
}

// WeightGrad is dw = x^T dy + beta dw, as [Backend.Gemm] is, and with sums, unless they are nil,
// sums = 1^T dy + beta sums: the ones are one more row of x^T, as a layer's bias is one more row of
// its weights.
func (b *Backend) WeightGrad(x Left, dy Rounded, beta float32, dw Matrix, sums []float32) {
	if dy.order != b.order || x.kept.order != nil && x.kept.order != b.order || !x.valid() ||
		x.m.Rows != dy.rows || dw.Rows != x.m.Cols || dw.Cols != dy.cols || !dw.valid() ||
		sums != nil && len(sums) != dw.Cols {
		panic(errShape)
	}
	if dw.Rows == 0 || dw.Cols == 0 {
		return
	}
	right := operand{stride: dy.stride, data: dy.data, alpha: 1, rounded: true}
	b.order.multiply(T, x, right, beta, dw, sums)
}

// ones are a row of a left factor, in numbers and in halves.
var ones = [2][]float32{{1}, halfOnes()}

func halfOnes() []float32 {
	words, row := make([]float32, blockK/2), make([]float32, blockK)
	for i := range row {
		row[i] = 1
	}
	kernel.RoundHalves(words, len(words), row, len(row), 1, len(row), 1)
	return words
}

// addOnes is c = s + 1^T b for kc numbers of k, b in panels that begin stride apart, c one row.
func (w *workspace) addOnes(panels []float32, stride, kc int, s start, c Matrix) {
	_, cols := w.order.shape()
	row := strided{data: ones[0]}
	if w.order.halves {
		row.data, row.cs = ones[1], 1
	}
	depth := w.order.depth(kc)
	for j := 0; j < c.Cols; j += cols {
		t := tile{j: j, rows: 1, cols: min(cols, c.Cols-j)}
		w.tile(t, s, row, panels[j/cols*stride:][:depth*cols], reach{n: depth, parts: 1}, c)
	}
}
