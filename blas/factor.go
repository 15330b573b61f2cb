package blas

import "github.com/plume-ml/plume/kernel"

const errUnset = "blas: a factor is used before Set"

// Factor is a matrix laid out once to be the right factor of many products, such as the weights
// that all tiles of a batch meet. Its backend computes them: the one whose method [Backend.Factor]
// made it, or, of the zero Factor, the default when Set is first called. Products of one factor may
// run at once.
type Factor struct {
	backend *Backend // nil: not chosen yet
	set     bool
	b       operand
	rows    int // of op(b)
	cols    int
	panels  []float32 // of the native backend
	width   int       // of the panels
	taps    int       // of a convolution to a few channels, whose weights lie in panels; 0: none
	window  Window    // of a convolution in squares; zero: none
}

// Factor is a factor whose products b computes.
func (b *Backend) Factor() Factor { return Factor{backend: b} }

// choose is the factor's backend.
func (f *Factor) choose() *Backend {
	if f.backend == nil {
		f.backend = Default()
	}
	return f.backend
}

// Set makes op(b) the factor. It must be called again when b, which it may go on to use, has new
// values. It allocates when the factor grows.
func (f *Factor) Set(t Trans, b Matrix) {
	if !b.valid() {
		panic(errShape)
	}
	f.set, f.taps, f.window = true, 0, Window{}
	f.b = operand{transposed: bool(t), stride: b.Stride, data: b.Data, alpha: 1}
	f.rows, f.cols = t.shape(b)
	o := f.choose().order
	if o == nil {
		return
	}
	w := o.workspace()
	defer w.release()
	_, f.width = o.shape()
	f.panels = grow(&f.panels, o.panelSize(f.rows, f.cols, f.width))
	w.packPanels(f.b, f.panels, f.width, o.depth(f.rows), 0, f.rows, 0, f.cols)
}

// SetPart lays out rows first to last (exclusive) and columns lo to hi of op(b) again, after a Set
// of the native backend. first and lo are multiples of [Group], and so are last and hi, or the
// ends. Calls for parts that do not overlap may run at once.
func (f *Factor) SetPart(first, last, lo, hi int) {
	if !f.set || first%Group != 0 || lo%Group != 0 ||
		last%Group != 0 && last != f.rows || hi%Group != 0 && hi != f.cols {
		panic(errShape)
	}
	o := f.backend.order
	w := o.workspace()
	defer w.release()
	deep := o.depth(f.rows)
	to := f.panels[lo*deep+o.depth(first)*f.width:]
	w.packPanels(f.b, to, f.width, deep, first, last, lo, hi)
}

// Reserve gives the factor memory for rows x cols numbers of op(b), which floats makes: Set then
// allocates nothing for as many. Some backends need none.
func (f *Factor) Reserve(rows, cols int, floats func(n int) []float32) {
	o := f.choose().order
	if o == nil {
		return
	}
	_, width := o.shape()
	f.panels = floats(o.panelSize(rows, cols, width))
}

// ReserveTurned gives the factor memory for [Factor.SetTurned] with the same arguments, but for a
// number of channels C of the input instead of weights, which floats makes: it then allocates
// nothing.
func (f *Factor) ReserveTurned(c int, w Window, floats func(n int) []float32) {
	taps := w.KH * w.KW
	switch o := f.choose().order; {
	case f.backend.Winograds(w, c):
		f.reserveWinograd(w.C, c, floats)
	case taps == 1 || o != nil:
		f.Reserve(w.C*taps, c, floats)
	default:
		f.panels = floats(taps * w.C * c)
	}
}

// SetTurned makes the factor of a convolution's input gradient from its weights b, taps*C x
// channels: for the patches of the output's gradient, whose window is w, the taps come in the
// opposite order, and each is transposed. In row t*channels+j, column i of the factor,
// taps*channels x C, is row (taps-1-t)*C+i, column j of b. It allocates when the factor grows.
func (f *Factor) SetTurned(b Matrix, w Window) {
	taps := w.KH * w.KW
	if !w.valid() || b.Rows%taps != 0 || b.Cols != w.C || !b.valid() {
		panic(errShape)
	}
	if taps == 1 {
		f.Set(T, b)
		return
	}
	c, channels := b.Rows/taps, b.Cols
	o := f.choose().order
	f.set, f.taps, f.window = true, 0, Window{}
	f.rows, f.cols = taps*channels, c
	switch {
	case f.backend.Winograds(w, c):
		f.window = w
		f.setWinograd(b, true)
	case o == nil:
		f.b = operand{stride: max(1, c), data: grow(&f.panels, f.rows*c), alpha: 1}
		turnedPanel(f.panels, c, b, taps, 0, c)
	default:
		f.packTurned(b, taps)
	}
}

// packTurned lays the turned weights out in panels.
func (f *Factor) packTurned(b Matrix, taps int) {
	o := f.backend.order
	w := o.workspace()
	defer w.release()
	_, f.width = o.shape()
	f.panels = grow(&f.panels, o.panelSize(f.rows, f.cols, f.width))
	deep := o.depth(f.rows)
	for j := 0; j < f.cols; j += f.width {
		w.panel(f.panels[j*deep:][:f.width*deep], f.width, f.rows, func(panel []float32) {
			turnedPanel(panel, f.width, b, taps, j, min(f.width, f.cols-j))
		})
	}
}

// turnedPanel writes columns j to j+cols of the turned weights, in rows of the given width.
func turnedPanel(panel []float32, width int, b Matrix, taps, j, cols int) {
	c, channels := b.Rows/taps, b.Cols
	for t := range taps {
		tap := b.rows((taps-1-t)*c+j, (taps-1-t)*c+j+cols)
		kernel.PackColumns(
			panel[t*channels*width:], width, tap.Data, b.Stride, cols, channels,
		)
	}
}

// Mul is c = a f, or with a bias c[i] = bias + row i of a f. The native backend in float32 starts
// its chains from the bias, which costs nothing; others add it at the end.
func (f *Factor) Mul(a Left, bias []float32, c Matrix) {
	if bias != nil && len(bias) != f.cols {
		panic(errShape)
	}
	if !f.multiplies(a, c) {
		return
	}
	o := f.backend.order
	if f.taps > 0 || o == &chains {
		f.chains(&a, start{data: bias}, c)
		return
	}
	if o != nil {
		f.chains(&a, start{}, c)
	} else {
		f.gemm(a, 0, c)
	}
	for i := 0; bias != nil && i < c.Rows; i++ {
		kernel.Add(c.Data[i*c.Stride:][:c.Cols], bias)
	}
}

// MulAdd is c = a f, or with add c += a f. The native backend's chains then go on from what c
// holds, in float32; in other precisions the product is added to that.
func (f *Factor) MulAdd(a Left, c Matrix, add bool) {
	switch {
	case !add:
		f.Mul(a, nil, c)
	case !f.multiplies(a, c):
	case f.taps > 0 || f.backend.order == &chains:
		f.chains(&a, continued(c), c)
	case f.backend.order != nil:
		f.addRows(a, c)
	default:
		f.gemm(a, 1, c)
	}
}

// chains is c = s + a f, whose sums go on from s.
func (f *Factor) chains(a *Left, s start, c Matrix) {
	switch {
	case f.taps > 0:
		f.mulSpread(a, s, c)
	case f.window.C > 0:
		f.mulWinograd(a, s, c)
	default:
		f.mulNative(a, s, c)
	}
}

// addRows is c += a f, some rows at a time, or a picture.
func (f *Factor) addRows(a Left, c Matrix) {
	w := takeWorkspace()
	defer w.release()
	step := 4 * blockM
	if a.gathered() {
		step = a.window.H * a.window.W
	}
	for lo := 0; lo < c.Rows; lo += step {
		part := c.rows(lo, min(lo+step, c.Rows))
		sum := Dense(grow(&w.sum, part.Rows*c.Cols), part.Rows, c.Cols)
		rows := a.rows(lo, lo+part.Rows)
		f.chains(&rows, start{}, sum)
		for i := range part.Rows {
			kernel.Add(part.Data[i*c.Stride:][:c.Cols], sum.Data[i*c.Cols:][:c.Cols])
		}
	}
}

// multiplies reports whether a product into c has anything to do. It panics if the shapes do not
// fit.
func (f *Factor) multiplies(a Left, c Matrix) bool {
	if !f.set {
		panic(errUnset)
	}
	if a.m.Cols != f.rows || c.Rows != a.m.Rows || c.Cols != f.cols || !a.valid() || !c.valid() {
		panic(errShape)
	}
	return c.Rows > 0 && c.Cols > 0
}

// gemm is c = beta c + a f by a library.
func (f *Factor) gemm(a Left, beta float32, c Matrix) {
	b := Matrix{Rows: f.rows, Cols: f.cols, Stride: f.b.stride, Data: f.b.data}
	t := Trans(f.b.transposed)
	b.Rows, b.Cols = t.shape(b)
	f.backend.Gemm(N, t, 1, a, b, beta, c)
}

func (f *Factor) mulNative(a *Left, s start, c Matrix) {
	o := f.backend.order
	w := o.workspace()
	defer w.release()
	if o.framed(a) {
		w.convolve(a, f.panels, o.depth(f.rows)*f.width, s, c)
		return
	}
	w.mulPanels(a, f.rows, f.panels, f.width, s, c)
}

// mulPanels is c = s + a b for b of k rows in panels of the given width.
func (w *workspace) mulPanels(a *Left, k int, panels []float32, width int, s start, c Matrix) {
	o := w.order
	stride := o.depth(k) * width
	if k == 0 {
		w.multiply(a, N, 0, 0, panels, 0, s, c)
	}
	for l := 0; l < k; l += o.blockK {
		kc := min(o.blockK, k-l)
		w.multiply(a, N, l, kc, panels[o.depth(l)*width:], stride, s, c)
		s = continued(c)
	}
}
