package blas

import "github.com/plume-ml/plume/kernel"

// block is where a part of the patches is gathered: its rows begin ld numbers apart.
type block struct {
	data []float32
	ld   int
}

// at is the part from row i, column j on.
func (b block) at(i, j int) block {
	b.data = b.data[i*b.ld+j:]
	return b
}

// clear writes zeros.
func (b block) clear(rows, cols int) {
	for i := range rows {
		clear(b.data[i*b.ld:][:cols])
	}
}

// gather writes columns lo to hi of rows first to end of the patches.
func (l *Left) gather(dst block, first, end, lo, hi int) {
	if lo == hi {
		return
	}
	width := l.window.W
	for i := first; i < end; {
		from := i % width
		pixels := min(end-i, width-from)
		l.gatherLine(dst.at(i-first, 0), i/width, from, from+pixels, lo+l.first, hi+l.first)
		i += pixels
	}
}

// gatherLine writes columns lo to hi of the patches of pixels from to end of a line, a row of
// pixels, of all pictures' lines.
func (l *Left) gatherLine(dst block, line, from, end, lo, hi int) {
	w := l.window
	h, run := line%w.H, w.run()
	for kh := lo / run; kh*run < hi; kh++ {
		left, right := max(lo, kh*run), min(hi, (kh+1)*run)
		part := dst.at(0, left-lo)
		if y := h + kh - w.KH/2; y < 0 || y >= w.H {
			part.clear(end-from, right-left)
			continue
		}
		seen := l.m.Data[(line+kh-w.KH/2)*w.W*w.C:][:w.W*w.C]
		w.gatherRuns(part, seen, from, end, left-kh*run, right-kh*run)
	}
}

// gatherRuns writes numbers lo to hi of what the windows of pixels from to end have of a line.
func (w *Window) gatherRuns(dst block, line []float32, from, end, lo, hi int) {
	// The pixels whose runs lie within the line are those from inside to outside.
	inside := min(max(from, w.KW/2-lo/w.C), end)
	outside := max(min(end, w.W-(hi-1)/w.C+w.KW/2), inside)
	for x := from; x < inside; x++ {
		w.gatherEdge(dst.at(x-from, 0).data[:hi-lo], line, x, lo)
	}
	if inside < outside {
		src := line[(inside-w.KW/2)*w.C+lo:]
		kernel.CopyRows(dst.at(inside-from, 0).data, dst.ld, src, w.C, hi-lo, outside-inside)
	}
	for x := outside; x < end; x++ {
		w.gatherEdge(dst.at(x-from, 0).data[:hi-lo], line, x, lo)
	}
}

// gatherEdge is the run of one pixel, from its number lo on, with zeros outside of the line.
func (w *Window) gatherEdge(dst, line []float32, x, lo int) {
	at := (x-w.KW/2)*w.C + lo
	before := min(max(0, -at), len(dst))
	clear(dst[:before])
	n := 0
	if before < len(dst) && at+before < len(line) {
		n = copy(dst[before:], line[at+before:])
	}
	clear(dst[before+n:])
}
