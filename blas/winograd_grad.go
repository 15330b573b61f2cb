package blas

import "github.com/plume-ml/plume/kernel"

// WinogradSums is how many numbers the gradient by a part of the weights takes before
// [Backend.WinogradTaps]: one for each place of a square, from so many channels to so many.
func WinogradSums(from, to int) int { return places * from * to }

// WinogradGrad is sums = beta sums + the gradient by the weights of a convolution from n channels
// of the pictures, first and its next ones, to those of dy: one matrix of n x dy.Cols for each
// place of a square. Each element is one chain over the squares of all pictures in order. beta is 0
// or 1.
func (b *Backend) WinogradGrad(
	patches Left, first, n int, dy Matrix, beta float32, sums []float32,
) {
	b.WinogradGradRows(patches, first, n, dy, beta, sums, 0, 4)
}

// WinogradGradRows is the part of [Backend.WinogradGrad] that rows lo to hi (exclusive) of the 4 x
// 4 places of a square have in it: these sums alone are read and written, and parts may run at
// once.
func (b *Backend) WinogradGradRows(
	patches Left, first, n int, dy Matrix, beta float32, sums []float32, lo, hi int,
) {
	win := patches.window
	if !b.Winograds(win, winogradChannels) || !patches.valid() || !dy.valid() || first < 0 ||
		n < 1 || first+n > win.C || dy.Cols < 1 || dy.Rows != patches.m.Rows ||
		len(sums) != WinogradSums(n, dy.Cols) || beta != 0 && beta != 1 || lo < 0 || hi <= lo ||
		hi > 4 {
		panic(errShape)
	}
	if each := len(sums) / 4; beta == 0 {
		clear(sums[lo*each : hi*each])
	}
	w := chains.workspace()
	defer w.release()
	m, lines := dy.Cols, dy.Rows/(2*win.W)
	g := winogradGrad{squares: w.squares(win, n, m), dy: dy, pictures: patches.m.Data}
	g.lo, g.hi = lo, hi
	_, g.width = chains.shape()
	most := min(g.lines, lines) * g.wide
	inputs, panels := places*most*n, places*chains.panelSize(most, m, g.width)
	framed, frame, across := 4*(win.W+2)*n, 4*win.W*win.C, 4*win.W*m
	memory := grow(&w.spread, inputs+panels+framed+frame+across)
	g.in, memory = memory[:inputs], memory[inputs:]
	g.panels, memory = memory[:panels], memory[panels:]
	g.across, memory = memory[:framed], memory[framed:]
	g.frame, g.grads = memory[:frame], memory[frame:]
	clear(g.across)
	for line := 0; line < lines; line += g.lines {
		g.block(line, min(g.lines, lines-line), first, n, sums)
	}
}

// winogradGrad is a gradient under way.
type winogradGrad struct {
	squares
	pictures   []float32
	dy         Matrix
	width      int       // of panels
	in, panels []float32 // both transformed factors
	grads      []float32 // lines of dy transformed in one direction
}

// block adds the products of high lines of squares.
func (g *winogradGrad) block(line, high, first, n int, sums []float32) {
	m, count := g.dy.Cols, high*g.wide
	size := chains.panelSize(count, m, g.width)
	if m%g.width != 0 {
		clear(g.panels) // what lies beyond the last channel
	}
	for i := range high {
		g.squares.inputs(g.in[i*g.wide*n:], count*n, g.pictures, line+i, first, n)
		g.gradients(g.panels[i*g.wide*g.width:], size, count, line+i)
	}
	for p := 4 * g.lo; p < 4*g.hi; p++ {
		left := Dense(g.in[p*count*n:], count, n).Left()
		sum := Dense(sums[p*n*m:], n, m)
		panels, stride := g.panels[p*size:], count*g.width
		g.w.multiply(&left, T, 0, count, panels, stride, continued(sum), sum)
	}
}

// gradients transforms dy of a line of squares to panels of count rows, of which those of a place
// begin apart from those of the next.
func (g *winogradGrad) gradients(dst []float32, apart, count, line int) {
	dy, m, length := g.dy, g.dy.Cols, g.win.W
	from := kernel.Planes{
		Data: dy.Data[2*line*length*dy.Stride:], Apart: length * dy.Stride, Row: dy.Stride,
	}
	to := kernel.Planes{Data: g.grads, Apart: length * m, Row: m}
	cols, rows := m, length
	if dy.Stride == m {
		cols, rows = length*m, 1
	}
	if g.hi-g.lo == 4 {
		kernel.WinogradGrad(to, from, cols, rows)
	} else {
		g.down(to, from, gradTerms, cols, rows)
	}
	for i := g.lo; i < g.hi; i++ {
		for j := 0; j < m; j += g.width {
			kernel.WinogradGrad(
				kernel.Planes{Data: dst[4*i*apart+j*count:], Apart: apart, Row: g.width},
				kernel.Planes{Data: g.grads[i*length*m+j:], Apart: m, Row: 2 * m},
				min(g.width, m-j), g.wide,
			)
		}
	}
}

// WinogradTaps is dw = scale times the gradient by the weights whose sums [Backend.WinogradGrad]
// made, which it overwrites: dw is the rows of all 9 taps, of so many channels each, to dw.Cols.
// Those of a tap begin apart rows after those of the one before.
func (b *Backend) WinogradTaps(sums []float32, from, apart int, scale float32, dw Matrix) {
	numbers := from * dw.Cols
	if len(sums) != places*numbers || !dw.valid() || dw.Rows != 8*apart+from || apart < from {
		panic(errShape)
	}
	w := chains.workspace()
	defer w.release()
	spare := grow(&w.spread, numbers)
	plane := func(i, j int) []float32 { return sums[(4*i+j)*numbers:][:numbers] }
	for j := range 4 {
		transformSums(plane(0, j), plane(1, j), plane(2, j), plane(3, j), spare)
	}
	for i := range 3 {
		transformSums(plane(i, 0), plane(i, 1), plane(i, 2), plane(i, 3), spare)
		for j := range 3 {
			tap := plane(i, j)
			kernel.Scale(tap, scale)
			to := dw.Data[(3*i+j)*apart*dw.Stride:]
			kernel.CopyRows(to, dw.Stride, tap, dw.Cols, dw.Cols, from)
		}
	}
}

// transformSums makes of the sums of four places those of three taps, which are then in u0, u1 and
// u2: u0 + (u1+u2)/2, (u1-u2)/2 and (u1+u2)/2 + u3.
func transformSums(u0, u1, u2, u3, spare []float32) {
	copy(spare, u1)
	kernel.Add(spare, u2)
	kernel.Axpy(u1, -1, u2)
	kernel.Scale(u1, 0.5)
	kernel.Axpy(u0, 0.5, spare)
	copy(u2, u3)
	kernel.Axpy(u2, 0.5, spare)
}

// WinogradLanes is dw as [Backend.WinogradGrad] and [Backend.WinogradTaps] compute it, by lanes of
// the pixels of whole pictures. It overwrites sums.
func (b *Backend) WinogradLanes(
	l Lanes, scale float32, patches Left, first, n int, dy Matrix, sums []float32, dw Matrix,
) {
	taps := Dense(sums, 9*n, dy.Cols)
	l.Sum(taps, nil, func(_, lo, hi int, own Matrix, _ []float32) {
		b.WinogradGrad(patches.rows(lo, hi), first, n, dy.rows(lo, hi), 0, sums)
		b.WinogradTaps(sums, n, n, scale, own)
	})
	for t := range 9 {
		to := dw.rows(t*patches.window.C, t*patches.window.C+n)
		kernel.CopyRows(to.Data, to.Stride, taps.Data[t*n*dy.Cols:], dy.Cols, dy.Cols, n)
	}
}
