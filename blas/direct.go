package blas

// Patches need not be gathered where tiles can read them from a copy of some lines of a picture
// with zeros around it, its frame: each run of a patch lies there in one piece, and the next one a
// line further on.

// frame is the lines that some lines see, with zeros where there is no picture.
func (w *workspace) frame(a *Left, line, lines int) []float32 {
	if a.kept.order != nil {
		return a.kept.line(line)
	}
	width := w.order.words(a.window.framed())
	// more than is written behind the last line
	framed := grow(&w.a, (lines+a.window.KH-1)*width+Group)
	w.fillFrame(framed, a, line, lines)
	return framed
}

// fillFrame copies these lines.
func (w *workspace) fillFrame(framed []float32, a *Left, line, lines int) {
	win, o := a.window, w.order
	n := win.W * win.C
	left, right, width := o.words(win.KW/2*win.C), o.words(n), o.words(win.framed())
	for i := range lines + win.KH - 1 {
		to := framed[i*width:][:width]
		y := i - win.KH/2
		if h := line%win.H + y; h < 0 || h >= win.H {
			clear(to)
			continue
		}
		clear(to[:left])
		w.line(framed[i*width+left:], a.m.Data[(line+y)*n:][:n])
		clear(to[left+right:])
	}
}

// framed is how many numbers a line of a frame has.
func (w *Window) framed() int { return (w.W + w.KW - 1) * w.C }

// lines is how many lines from a line on, all of one picture, have about so many pixels.
func (w *Window) lines(line, pixels int) int {
	return min(max(1, pixels/w.W), w.H-line%w.H)
}

// line copies a line of a picture into a frame. It may write some words behind that.
func (w *workspace) line(dst, src []float32) {
	if !w.order.rounds {
		copy(dst, src)
		return
	}
	w.layAcross(dst, len(dst), src, len(src), len(src), 1)
}

// framed reports whether the patches are read from frames: if they have all their columns, and no
// group or pair lies in two runs.
func (o *order) framed(l *Left) bool {
	w := l.window
	if !l.gathered() || l.m.Cols != w.KH*w.run() {
		return false
	}
	return !o.rounds || !o.splits && w.C%2 == 0 && w.run()%Group == 0
}

// convolvedRows is about how many rows of c are computed from a frame, convolvedK how many numbers
// of patches make one chain: all those of 3 x 3 pixels of 128 channels.
const convolvedRows, convolvedK = 256, 1152

// convolve is c = s + a b for whole patches and b in panels that begin stride apart.
func (w *workspace) convolve(a *Left, panels []float32, stride int, s start, c Matrix) {
	for line := 0; line*a.window.W < c.Rows; {
		lines := a.window.lines(line, convolvedRows)
		w.convolveLines(a, line, lines, panels, stride, s, c)
		line += lines
	}
}

// convolveLines computes the rows of some lines of a picture, in tiles of pixels of one line.
func (w *workspace) convolveLines(
	a *Left, line, lines int, panels []float32, stride int, s start, dst Matrix,
) {
	win, o := a.window, w.order
	c, width, run := o.words(win.C), o.words(win.framed()), o.words(win.run())
	framed := w.frame(a, line, lines)
	rows, cols := o.shape()
	most := o.words(convolvedK)
	tiles := (win.W + rows - 1) / rows
	for j := 0; j < dst.Cols; j += cols {
		s := s
		for l := 0; l < win.KH*run; {
			kh, from := l/run, l%run
			k := reach{
				n: min(most, run-from), parts: max(1, min(most/run, win.KH-kh)),
				jump: width - run,
			}
			panel := panels[j/cols*stride+l*cols:][:k.n*k.parts*cols]
			for i := range lines {
				left := framed[(i+kh)*width+from:]
				for at := range tiles {
					x, end := at*win.W/tiles, (at+1)*win.W/tiles
					t := tile{(line+i)*win.W + x, j, end - x, min(cols, dst.Cols-j)}
					w.tile(t, s, strided{left[x*c:], c, 1, 0}, panel, k, dst)
				}
			}
			s = continued(dst)
			l += k.n * k.parts
		}
	}
}

// framedPixels is the least size of pictures whose transposed patches are read from frames: the
// sums are read and written again for each picture.
const framedPixels = 96

// framedT reports whether the patches are read from frames when they are transposed.
func (o *order) framedT(l *Left) bool {
	return !o.rounds && l.gathered() && l.window.H*l.window.W >= framedPixels
}

// correlate is c = s + a^T b for the pixels of some lines of a picture; b is their rows in panels.
func (w *workspace) correlate(a *Left, line, lines int, panels []float32, s start, c Matrix) {
	win, width, run := a.window, a.window.framed(), a.window.run()
	framed := w.frame(a, line, lines)
	rows, cols := w.order.shape()
	for j := 0; j < c.Cols; j += cols {
		panel := panels[j*lines*win.W:]
		for at := 0; at < c.Rows; {
			kh, from := (a.first+at)/run, (a.first+at)%run
			t := tile{at, j, min(rows, run-from, c.Rows-at), min(cols, c.Cols-j)}
			s := s
			for l := 0; l < lines*win.W; {
				i, x := l/win.W, l%win.W
				k := reach{
					n: min(blockK, win.W-x), parts: max(1, min(blockK/win.W, lines-i)),
					jump: width - win.W*win.C,
				}
				left := strided{framed[(i+kh)*width+x*win.C+from:], 1, win.C, 0}
				w.tile(t, s, left, panel[l*cols:][:k.n*k.parts*cols], k, c)
				s = continued(c)
				l += k.n * k.parts
			}
			at += t.rows
		}
	}
}
