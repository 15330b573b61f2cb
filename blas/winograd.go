package blas

import "github.com/plume-ml/plume/kernel"

// Convolutions by 3 x 3 pixels take fewer than half the multiply-adds as Winograd's F(2x2, 3x3)
// (Lavin and Gray 2016): a square of 4 x 4 pixels, its weights and the 2 x 2 pixels of the output
// that it makes are transformed, and between the transforms there is one product for each of the 16
// places of a square,
//
//	products[place] = inputs[place] weights[place],  squares x C times C x channels.
//
// Every product is a chain of multiply-adds over the channels, and the transforms add in one order
// (package kernel), so that the bits are the same everywhere, as those of all native products.

// winogradChannels is the least number of channels on both sides for which that is faster.
const winogradChannels = 16

// places is the number of pixels of a square; centre is the place whose product reaches each pixel
// of the output once, as a bias does.
const places, centre = 16, 5

// winograds reports whether a convolution to so many channels is computed in squares: of 3 x 3
// pixels, in pictures that squares tile, a line of which is no longer than a block of a product.
// Besides, only products in float32 are.
func winograds(w Window, channels int) bool {
	return w.KH == 3 && w.KW == 3 && w.H%2 == 0 && w.W%2 == 0 && w.W/2 <= blockK &&
		min(w.C, channels) >= winogradChannels
}

// Winograds reports whether the backend computes convolutions of pictures to so many channels in
// squares, and [Backend.WinogradGrad] the gradients by their weights.
func (b *Backend) Winograds(w Window, channels int) bool {
	return b.order == &chains && winograds(w, channels)
}

// squares is the way of a convolution through squares.
type squares struct {
	w      *workspace
	win    Window
	wide   int // squares in a line of them
	lines  int // lines of squares in a block
	frame  []float32
	across []float32 // lines transformed in one direction
	lo, hi int       // rows of the places, of which there are 4
}

// squareNumbers is about how many numbers the transformed squares of a block have for each place:
// all stay in a second-level cache.
const squareNumbers = 7680

// squares is how pictures of n channels on one side and m on the other are cut, for rows lo to hi
// of the places.
func (w *workspace) squares(win Window, n, m, lo, hi int) squares {
	wide, numbers := win.W/2, squareNumbers*4/(hi-lo)
	return squares{w: w, win: win, wide: wide, lines: max(1, numbers/(n+m)/wide), lo: lo, hi: hi}
}

// inputs transforms channels lo to lo+n of line number line of squares to dst, where numbers of a
// place begin apart from those of the next, the first of which is in row q.lo.
func (q *squares) inputs(dst []float32, apart int, pictures []float32, line, lo, n int) {
	win := q.win
	length := win.W * win.C
	from := kernel.Planes{Apart: length, Row: win.C}
	if h := 2 * line % win.H; h == 0 || h+2 == win.H {
		q.enclose(pictures, line, h)
		from.Data = q.frame[lo:]
	} else {
		from.Data = pictures[(2*line-1)*length+lo:]
	}
	framed := (win.W + 2) * n // with a pixel of zeros on each side
	to := kernel.Planes{Data: q.across[n:], Apart: framed, Row: n}
	cols, rows := n, win.W
	if n == win.C {
		cols, rows = length, 1
	}
	if q.hi-q.lo == 4 {
		kernel.WinogradInput(to, from, cols, rows)
	} else {
		q.down(to, from, inputTerms, cols, rows)
	}
	for i := q.lo; i < q.hi; i++ {
		kernel.WinogradInput(
			kernel.Planes{Data: dst[4*(i-q.lo)*apart:], Apart: apart, Row: n},
			kernel.Planes{Data: q.across[i*framed:], Apart: n, Row: 2 * n}, n, q.wide,
		)
	}
}

// term is what a transform in one direction makes: plane a, plus sign times plane b.
type term struct {
	a, b int
	sign float32
}

// The terms of kernel.WinogradInput and kernel.WinogradGrad.
var (
	inputTerms = [4]term{{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {3, 1, -1}}
	gradTerms  = [4]term{{a: 0}, {0, 1, 1}, {0, 1, -1}, {a: 1}}
)

// down transforms planes of rows x cols numbers to those of the wanted rows of places alone, with
// the bits of the kernels that make all of them.
func (q *squares) down(to, from kernel.Planes, terms [4]term, cols, rows int) {
	for i := q.lo; i < q.hi; i++ {
		t := terms[i]
		for r := range rows {
			dst := to.Data[i*to.Apart+r*to.Row:][:cols]
			copy(dst, from.Data[t.a*from.Apart+r*from.Row:])
			if t.sign != 0 {
				kernel.Axpy(dst, t.sign, from.Data[t.b*from.Apart+r*from.Row:][:cols])
			}
		}
	}
}

// enclose copies the pixels that a line of squares sees, whose output begins h lines below the top
// of its picture, and zeros outside of that.
func (q *squares) enclose(pictures []float32, line, h int) {
	length := q.win.W * q.win.C
	for i := range 4 {
		to := q.frame[i*length:][:length]
		if y := h + i - 1; y < 0 || y >= q.win.H {
			clear(to)
		} else {
			copy(to, pictures[(2*line+i-1)*length:])
		}
	}
}

// mulWinograd is c = s + a f of a convolution in squares.
func (f *Factor) mulWinograd(a *Left, s start, c Matrix) {
	if !a.gathered() || a.first > 0 || a.window != f.window {
		panic(errShape)
	}
	w := chains.workspace()
	defer w.release()
	q := w.squares(a.window, a.window.C, c.Cols, 0, 4)
	n, m, lines := q.win.C, c.Cols, c.Rows/(2*q.win.W)
	most := min(q.lines, lines) * q.wide
	inputs, products, outputs := most*places*n, most*places*m, most*places/2*m
	framed, length := (q.win.W+2)*n, q.win.W*n
	memory := grow(&w.spread, inputs+products+outputs+4*framed+4*length)
	in, out, sums := memory[:inputs], memory[inputs:][:products], memory[inputs+products:][:outputs]
	rest := memory[inputs+products+outputs:]
	q.across, q.frame = rest[:4*framed], rest[4*framed:]
	clear(q.across)
	for line := 0; line < lines; line += q.lines {
		high := min(q.lines, lines-line)
		count := high * q.wide
		for i := range high {
			q.inputs(in[i*q.wide*n:], count*n, a.m.Data, line+i, 0, n)
		}
		f.products(w, in, out, s, count)
		q.outputs(c, out, sums, line, high, s.stride > 0)
	}
}

// products is those of so many squares, of which that of the centre begins with a bias.
func (f *Factor) products(w *workspace, in, out []float32, s start, count int) {
	n, m, size := f.window.C, f.cols, len(f.panels)/places
	for p := range places {
		left := Dense(in[p*count*n:], count, n).Left()
		var first start
		if p == centre && s.stride == 0 {
			first = s
		}
		product := Dense(out[p*count*m:], count, m)
		w.mulPanels(&left, n, f.panels[p*size:], f.width, first, product)
	}
}

// outputs transforms the products of high lines of squares, from line on, and sets c to them or
// adds them to it.
func (q *squares) outputs(c Matrix, products, sums []float32, line, high int, add bool) {
	m, count := c.Cols, high*q.wide
	for j := range 4 {
		apart := 4 * count * m
		kernel.WinogradOutput(
			kernel.Planes{Data: sums[j*count*m:], Apart: apart},
			kernel.Planes{Data: products[j*count*m:], Apart: apart}, count*m, 1,
		)
	}
	transform := kernel.WinogradOutput
	if add {
		transform = kernel.WinogradOutputAdd
	}
	for i := range 2 * high {
		transform(
			kernel.Planes{
				Data: c.Data[(2*line+i)*q.win.W*c.Stride:], Apart: c.Stride, Row: 2 * c.Stride,
			},
			kernel.Planes{
				Data: sums[(i%2*4*count+i/2*q.wide)*m:], Apart: count * m, Row: m,
			}, m, q.wide,
		)
	}
}

// reserveWinograd makes memory for setWinograd to factors of k x n.
func (f *Factor) reserveWinograd(k, n int, floats func(n int) []float32) {
	_, width := chains.shape()
	f.panels = floats(places * chains.panelSize(k, n, width))
}

// setWinograd lays out the transformed weights: of a convolution, or turned, those of the gradient
// by its input.
func (f *Factor) setWinograd(b Matrix, turned bool) {
	c, channels := b.Rows/9, b.Cols
	_, f.width = chains.shape()
	k := c
	if turned {
		k = channels
	}
	f.panels = grow(&f.panels, places*chains.panelSize(k, c+channels-k, f.width))
	f.layWinograd(b, turned, 0, c, 0, channels)
}

// layWinograd lays out the weights from channels first to last (exclusive) to channels lo to hi.
// Rows of C are transformed some at a time.
func (f *Factor) layWinograd(b Matrix, turned bool, first, last, lo, hi int) {
	w := chains.workspace()
	defer w.release()
	c, cols, size := b.Rows/9, hi-lo, len(f.panels)/places
	for ; first < last; first += Group {
		high := min(Group, last-first)
		numbers := high * cols
		memory := grow(&w.spread, (9+places)*numbers)
		taps, weights := memory[:9*numbers], memory[9*numbers:]
		for t := range 9 {
			from := b.Data[(t*c+first)*b.Stride+lo:]
			kernel.CopyRows(taps[t*numbers:], cols, from, b.Stride, cols, high)
		}
		transformWeights(weights, taps, numbers)
		for p := range places {
			x := operand{stride: cols, data: weights[p*numbers:], alpha: 1}
			if panels := f.panels[p*size:]; !turned {
				w.packPanels(x, panels[lo*c+first*f.width:], f.width, c, 0, high, 0, cols)
				continue
			}
			// Half a circle exchanges the first place and the last, in both directions.
			x.data, x.transposed = weights[opposite[p/4]*4*numbers+opposite[p%4]*numbers:], true
			panels := f.panels[p*size+first*b.Cols+lo*f.width:]
			w.packPanels(x, panels, f.width, b.Cols, 0, cols, 0, high)
		}
	}
}

// SetConvPart lays out a part of the weights b of a convolution in squares again, after a
// [Factor.SetConv]: from channels first to last (exclusive) to channels lo to hi. first and lo are
// multiples of [Group], and so are last and hi, or the ends. Calls for parts that do not overlap
// may run at once.
func (f *Factor) SetConvPart(b Matrix, first, last, lo, hi int) {
	f.setSquares(b, false, first, last, lo, hi)
}

// SetTurnedPart is [Factor.SetConvPart] after a [Factor.SetTurned].
func (f *Factor) SetTurnedPart(b Matrix, first, last, lo, hi int) {
	f.setSquares(b, true, first, last, lo, hi)
}

func (f *Factor) setSquares(b Matrix, turned bool, first, last, lo, hi int) {
	c, k, cols := b.Rows/9, f.window.C, f.cols
	if turned {
		k, cols = cols, k
	}
	if !f.set || !f.window.valid() || b.Rows != 9*c || c != k || b.Cols != cols || !b.valid() ||
		first%Group != 0 || lo%Group != 0 || first < 0 || lo < 0 || last > c || hi > b.Cols ||
		last%Group != 0 && last != c || hi%Group != 0 && hi != b.Cols {
		panic(errShape)
	}
	f.layWinograd(b, turned, first, last, lo, hi)
}

var opposite = [4]int{3, 1, 2, 0}

// transformWeights makes of planes of n numbers, one for each of 9 taps, one for each place.
func transformWeights(dst, taps []float32, n int) {
	plane := func(x []float32, i int) []float32 { return x[i*n:][:n] }
	for i := range 3 { // down, to the rows of dst, one column of which stays free
		transformTaps(
			plane(dst, i), plane(dst, 4+i), plane(dst, 8+i), plane(dst, 12+i),
			plane(taps, i), plane(taps, 3+i), plane(taps, 6+i),
		)
	}
	for i := range 4 { // across
		copy(taps, dst[4*i*n:][:3*n])
		transformTaps(
			plane(dst, 4*i), plane(dst, 4*i+1), plane(dst, 4*i+2), plane(dst, 4*i+3),
			plane(taps, 0), plane(taps, 1), plane(taps, 2),
		)
	}
}

// transformTaps is u0 = g0, u1 = g1/2 + (g0+g2)/2, u2 = (g0+g2)/2 - g1/2, u3 = g2.
func transformTaps(u0, u1, u2, u3, g0, g1, g2 []float32) {
	copy(u0, g0)
	copy(u3, g2)
	copy(u1, g0)
	kernel.Add(u1, g2)
	kernel.Scale(u1, 0.5)
	copy(u2, u1)
	kernel.Axpy(u1, 0.5, g1)
	kernel.Axpy(u2, -0.5, g1)
}
