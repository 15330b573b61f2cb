package kernel

// FinishesSiLU reports whether there is MulSiLU, which VDPBF16PS has not. h may be nil.
func (h *Halves) FinishesSiLU() bool { return h != nil && h.silu != nil }

// MulSiLU is a product whose sums go through a SiLU: with t = bias[j] + the sum of row i and column
// j that [Halves.Mul] computes from 0,
//
//	half j of row i of dst = bf16(silu(t)), slopes[i*ld+j] = silu'(t)
//
// for j < len(bias), in columns of halves, strips that begin ss words apart, as [RoundToColumns]
// makes them; slopes may be empty. But for NaN these are the bits of Mul, [Add],
// [SiLU] and RoundToColumns. parts are 1, or n is 32.
func (h *Halves) MulSiLU(dst []float32, ss int, slopes []float32, ld int, bias, a []float32,
	rs, jump int, b []float32, bs, rows, n, parts int) {
	cols := len(bias)
	if rows < 1 || cols < 1 {
		check(rows == 0 || cols == 0)
		return
	}
	panels := padded(cols) / HalfCols
	check(0 < n && n <= MaxRow && n%HalfDepth == 0 && 1 <= parts && parts <= MaxRow &&
		(parts == 1 || n == HalfDepth))
	k := n * parts
	check(k*HalfCols/2 <= MaxRow && rs >= 0 && jump >= 0 && bs >= 0 &&
		len(b) >= (panels-1)*bs+k*HalfCols/2 && len(a) >= (rows-1)*rs+k/2+(parts-1)*jump)
	checkColumns(dst, ss, rows, padded(cols))
	check(len(slopes) == 0 || ld >= cols && len(slopes) >= (rows-1)*ld+cols)
	if raceEnabled {
		for p := range parts {
			readGrid(a[p*(n/2+jump):], rows, rs, n/2)
		}
		readGrid(b, panels, bs, k*HalfCols/2)
		wroteGrid(dst, panels, ss, rows*HalfCols/2)
		if len(slopes) > 0 {
			wroteGrid(slopes, rows, ld, cols)
		}
	}
	step := HalfDepth / 2
	if n == HalfDepth {
		step += jump
	}
	h.cutSiLU(dst, ss, slopes, ld, bias, a, rs, step, b, bs, rows, k)
}

// cutSiLU makes calls as cut does, of depth n whose groups are step words apart.
func (h *Halves) cutSiLU(dst []float32, ss int, slopes []float32, ld int, bias, a []float32,
	rs, step int, b []float32, bs, rows, n int) {
	const words = HalfCols / 2
	panels := padded(len(bias)) / HalfCols
	each, wide := h.sizes(rows, panels, n)
	for p := 0; p < panels; p += wide {
		np, bp := min(wide, panels-p), b[p*bs:]
		part := bias[p*HalfCols : min(len(bias), (p+np)*HalfCols)]
		more := bs > 0 && len(bp) >= np*bs+n*words
		for r := 0; r < rows; {
			g := h.next(rows, r, each, true)
			to := slopes
			if len(slopes) > 0 {
				to = slopes[r*ld+p*HalfCols:]
			}
			h.silu(dst[p*ss+r*words:], ss, to, ld, part, a[r*rs:], rs, bp, bs, g.rows, g.gap,
				g.blocks, np, n, step, more)
			r += g.gap*(g.blocks-1) + g.rows
		}
	}
}
