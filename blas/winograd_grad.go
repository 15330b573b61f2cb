package blas

import "github.com/plume-ml/plume/kernel"

// Strips of a picture have lines of their own in sums over its squares, so that many workers can
// share a gradient: some stripLines each, of at most mostStrips. Their number depends on the
// picture alone.
const stripLines, mostStrips = 8, 8

// WinogradStrips is how many strips pictures have in sums over their squares.
func WinogradStrips(w Window) int { return min(max(1, w.H/stripLines), mostStrips) }

// WinogradSums is how many numbers the gradient by a part of the weights takes before
// [Backend.WinogradTaps]: one for each strip and each place of a square, from so many channels to
// so many.
func WinogradSums(w Window, from, to int) int { return WinogradStrips(w) * places * from * to }

// WinogradGrad is sums = beta sums + the gradient by the weights of a convolution from n channels
// of the pictures, first and its next ones, to those of dy: for each strip, one matrix of n x
// dy.Cols for each place of a square. Each element is one chain over the squares of the strip in
// all pictures in order. beta is 0 or 1.
func (b *Backend) WinogradGrad(
	patches Left, first, n int, dy Matrix, beta float32, sums []float32,
) {
	for strip := range WinogradStrips(patches.window) {
		b.WinogradGradPart(patches, first, n, dy, beta, sums, strip, 0, 4)
	}
}

// WinogradGradPart is the part of [Backend.WinogradGrad] that rows lo to hi (exclusive) of the 4 x
// 4 places of a square have in it in one strip: these sums alone are read and written, and parts
// may run at once.
func (b *Backend) WinogradGradPart(
	patches Left, first, n int, dy Matrix, beta float32, sums []float32, strip, lo, hi int,
) {
	win := patches.window
	if !b.Winograds(win, winogradChannels) || !patches.valid() || !dy.valid() || first < 0 ||
		n < 1 || first+n > win.C || dy.Cols < 1 || dy.Rows != patches.m.Rows ||
		len(sums) != WinogradSums(win, n, dy.Cols) || beta != 0 && beta != 1 ||
		strip < 0 || strip >= WinogradStrips(win) || lo < 0 || hi <= lo || hi > 4 {
		panic(errShape)
	}
	each := 4 * n * dy.Cols // of a row of places
	sums = sums[(4*strip+lo)*each : (4*strip+hi)*each]
	if beta == 0 {
		clear(sums)
	}
	w := chains.workspace()
	defer w.release()
	m := dy.Cols
	g := winogradGrad{squares: w.squares(win, n, m, lo, hi), dy: dy, pictures: patches.m.Data}
	g.top, g.bottom = strip*win.H/2/WinogradStrips(win), (strip+1)*win.H/2/WinogradStrips(win)
	lines := dy.Rows / (win.H * win.W) * (g.bottom - g.top)
	_, g.width = chains.shape()
	most, places := min(g.lines, lines)*g.wide, 4*(hi-lo)
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
	pictures    []float32
	dy          Matrix
	top, bottom int       // lines of squares of the strip in a picture
	width       int       // of panels
	in, panels  []float32 // both transformed factors
	grads       []float32 // lines of dy transformed in one direction
}

// line is the number among all lines of squares of one of the strip's.
func (g *winogradGrad) line(i int) int {
	high := g.bottom - g.top
	return i/high*(g.win.H/2) + g.top + i%high
}

// block adds the products of high lines of squares of the strip.
func (g *winogradGrad) block(line, high, first, n int, sums []float32) {
	m, count := g.dy.Cols, high*g.wide
	size := chains.panelSize(count, m, g.width)
	if m%g.width != 0 {
		clear(g.panels) // what lies beyond the last channel
	}
	for i := range high {
		g.squares.inputs(g.in[i*g.wide*n:], count*n, g.pictures, g.line(line+i), first, n)
		g.gradients(g.panels[i*g.wide*g.width:], size, count, g.line(line+i))
	}
	for p := range 4 * (g.hi - g.lo) {
		left := Dense(g.in[p*count*n:], count, n).Left()
		sum := Dense(sums[p*n*m:], n, m)
		panels, stride := g.panels[p*size:], count*g.width
		g.w.multiply(&left, T, 0, count, panels, stride, continued(sum), sum)
	}
}

// gradients transforms dy of a line of squares to panels of count rows, of which those of a place
// begin apart from those of the next, the first of which is in row g.lo.
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
				kernel.Planes{Data: dst[4*(i-g.lo)*apart+j*count:], Apart: apart, Row: g.width},
				kernel.Planes{Data: g.grads[i*length*m+j:], Apart: m, Row: 2 * m},
				min(g.width, m-j), g.wide,
			)
		}
	}
}

// WinogradTaps is dw = scale times the gradient by the weights whose sums [Backend.WinogradGrad]
// made, which it overwrites: dw is the rows of all 9 taps, of so many channels each, to dw.Cols.
// Those of a tap begin apart rows after those of the one before. The strips are added in order.
func (b *Backend) WinogradTaps(sums []float32, from, apart int, scale float32, dw Matrix) {
	numbers := from * dw.Cols
	if !dw.valid() || dw.Rows != 8*apart+from || apart < from || numbers == 0 ||
		len(sums) == 0 || len(sums)%(places*numbers) != 0 {
		panic(errShape)
	}
	for strips := sums[places*numbers:]; len(strips) > 0; strips = strips[places*numbers:] {
		kernel.Add(sums[:places*numbers], strips[:places*numbers])
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
