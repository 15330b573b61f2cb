package blas

import "github.com/plume-ml/plume/kernel"

// Tiles are 32 columns wide on the widest path. A convolution that makes fewer channels would waste
// most of them; the products here find other columns.

// padded is n columns as the widest tiles compute them.
func padded(n int) int {
	const widest = 32
	return (n + widest - 1) / widest * widest
}

// spreads reports whether a convolution to a few channels is one product for all its taps, whose
// results are then added. It depends on nothing else, so that no CPU and no backend shows in it.
func spreads(taps, c, channels int) bool { return taps > 1 && c >= 16 && channels <= 12 }

// SetConv makes the factor of a convolution by the weights b, taps*C x channels: for [Factor.Mul]
// of patches of whole pictures as the window w sees them. It is Set(N, b), but for two orders of
// the sums. With at most 12 channels from at least 16, a number is the bias plus, for each tap in
// order, the sum over the channels, in which the weights are the left factor. Where the backend
// [Backend.Winograds], it comes from squares. It allocates when the factor grows.
func (f *Factor) SetConv(b Matrix, w Window) {
	taps := w.KH * w.KW
	if !w.valid() || b.Rows != taps*w.C || !b.valid() {
		panic(errShape)
	}
	f.choose()
	switch channels := b.Cols; {
	case spreads(taps, w.C, channels):
		f.setSpread(b, taps)
	case f.backend.Winograds(w, channels):
		f.set, f.taps, f.window = true, 0, w
		f.rows, f.cols = b.Rows, channels
		f.setWinograd(b, false)
	default:
		f.Set(N, b)
	}
}

// setSpread lays out the weights of a convolution to a few channels.
func (f *Factor) setSpread(b Matrix, taps int) {
	c, channels := b.Rows/taps, b.Cols
	f.set, f.taps, f.window = true, taps, Window{}
	f.rows, f.cols = b.Rows, channels
	f.panels = grow(&f.panels, b.Rows*channels)
	for t := range taps {
		tap := b.rows(t*c, (t+1)*c)
		kernel.CopyRows(f.panels[t*channels:], taps*channels, tap.Data, b.Stride, channels, c)
	}
}

// ReserveConv gives the factor memory for [Factor.SetConv] of weights to so many channels, which
// floats makes: it then allocates nothing.
func (f *Factor) ReserveConv(w Window, channels int, floats func(n int) []float32) {
	rows := w.KH * w.KW * w.C
	f.choose()
	switch {
	case spreads(w.KH*w.KW, w.C, channels):
		f.panels = floats(rows * channels)
	case f.backend.Winograds(w, channels):
		f.reserveWinograd(w.C, channels, floats)
	default:
		f.Reserve(rows, channels, floats)
	}
}

// mulSpread is c = s + a f of a convolution to a few channels: for each picture the products of its
// pixels with all taps, one row for each tap and channel, of which those of a channel are added
// with an offset each.
func (f *Factor) mulSpread(a *Left, s start, c Matrix) {
	win := a.window
	if !a.gathered() || a.first > 0 || win.KH*win.KW != f.taps {
		panic(errShape)
	}
	w := takeWorkspace()
	defer w.release()
	pixels, columns := win.H*win.W, f.taps*f.cols
	memory := grow(&w.spread, (columns+f.cols)*pixels)
	products, sums := Dense(memory, columns, pixels), Dense(memory[columns*pixels:], f.cols, pixels)
	weights := Dense(f.panels, win.C, columns).Left()
	for lo := 0; lo < c.Rows; lo += pixels {
		picture := Dense(a.m.Data[lo*win.C:], pixels, win.C)
		f.backend.Gemm(T, T, 1, weights, picture, 0, products)
		for j := range f.cols {
			sum := sums.Data[j*pixels:][:pixels]
			s.column(sum, lo, j)
			for t := range f.taps {
				win.addTap(sum, products.Data[(t*f.cols+j)*pixels:][:pixels], t)
			}
		}
		interleave(c.rows(lo, lo+pixels), sums)
	}
}

// column writes column j from a row on.
func (s start) column(dst []float32, row, j int) {
	clear(dst)
	for i := range dst {
		if s.data != nil {
			dst[i] = s.data[(row+i)*s.stride+j]
		}
	}
}

// interleave is c = m^T for a few rows of m.
func interleave(c, m Matrix) {
	for j := range m.Rows {
		at := j
		for _, v := range m.Data[j*m.Stride:][:m.Cols] {
			c.Data[at] = v
			at += c.Stride
		}
	}
}

// addTap adds what each pixel sees by one tap, of which it sets to zero what no pixel sees.
func (w *Window) addTap(sum, seen []float32, tap int) {
	down, right := tap/w.KW-w.KH/2, tap%w.KW-w.KW/2
	hidden := seen // what pixels of the line above or below would see
	if right < 0 {
		hidden = seen[max(0, w.W+right):]
	}
	for n := min(max(right, -right), w.W); n > 0 && len(hidden) >= n; {
		clear(hidden[:n])
		hidden = hidden[min(w.W, len(hidden)):]
	}
	by := down*w.W + right
	lo := max(0, -down) * w.W
	hi := min(w.H, w.H-down) * w.W
	lo, hi = max(lo, -by), min(hi, len(seen)-by)
	if lo < hi {
		kernel.Add(sum[lo:hi], seen[lo+by:hi+by])
	}
}

// ConvGrad is dw = alpha patches^T dy + beta dw, as [Backend.Gemm] is for transposed patches, of
// which it takes whole taps. If dy has fewer channels than the pictures and its rows follow each
// other, its patches are gathered instead: each element is the same sum, with alpha rounded into
// the pictures; but groups and pairs of numbers are then counted in the pixels of the pictures, and
// not in those of dy.
func (b *Backend) ConvGrad(alpha float32, patches Left, dy Matrix, beta float32, dw Matrix) {
	win, channels := patches.window, dy.Cols
	whole := patches.gathered() && patches.first%win.C == 0 && patches.m.Cols%win.C == 0
	if !whole || channels < 1 || dy.Stride != channels || dy.Rows != patches.m.Rows ||
		!gathersOutput(win.C, channels) {
		b.Gemm(T, N, alpha, patches, dy, beta, dw)
		return
	}
	if !patches.valid() || !dy.valid() || !dw.valid() || dw.Rows != patches.m.Cols ||
		dw.Cols != channels {
		panic(errShape)
	}
	w := takeWorkspace()
	defer w.release()
	taps, all := patches.m.Cols/win.C, win.KH*win.KW
	first := all - patches.first/win.C - taps // of the turned taps
	turned := Dense(grow(&w.spread, taps*channels*win.C), taps*channels, win.C)
	if beta != 0 {
		turn(turned, dw, taps)
	}
	pixels := Dense(patches.m.Data, dy.Rows, win.C)
	pictures := dy.Rows / (win.H * win.W)
	win.C = channels
	left := Patches(dy.Data, pictures, win).Slice(first*channels, (first+taps)*channels)
	b.Gemm(T, N, alpha, left, pixels, beta, turned)
	turn(dw, turned, taps)
}

// gathersOutput reports whether the patches of the output's gradient make the cheaper product for
// the gradient of weights: fewer multiply-adds in whole tiles, or as many and less to gather.
func gathersOutput(c, channels int) bool {
	output, input := channels*padded(c), c*padded(channels)
	return output < input || output == input && channels < c
}

// turn lays weights of taps*channels x C out as taps*C x channels, in the opposite order of taps.
func turn(dst, src Matrix, taps int) {
	c, channels := dst.Rows/taps, dst.Cols
	for t := range taps {
		for i := range c {
			to := dst.Data[((taps-1-t)*c+i)*dst.Stride:][:channels]
			for j := range to {
				to[j] = src.Data[(t*channels+j)*src.Stride+i]
			}
		}
	}
}
