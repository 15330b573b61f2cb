package kernel

// AddBias is x[i,j] += b[j].
func AddBias(x, b []float32) {
	n := rows(len(x), len(b))
	read(b)
	wrote(x)
	for t := range tiles(n, len(b)) {
		active.addBias(t.of(x), t.cols(b))
	}
}

// AddBiasSkip is x[i,j] = (x[i,j] + b[j]) + skip[i,j].
func AddBiasSkip(x, b, skip []float32) {
	check(len(skip) == len(x))
	n := rows(len(x), len(b))
	read(b, skip)
	wrote(x)
	for t := range tiles(n, len(b)) {
		active.addBiasSkip(t.of(x), t.cols(b), t.of(skip))
	}
}

// BiasSiLU is t = x[i,j] + b[j]; y[i,j] = silu(t); x[i,j] = silu'(t), with silu(t) = t/(1 +
// exp(-t)): the derivative replaces its argument, for the backward pass to multiply with. Largest
// errors for |t| <= 87: 4 ulp of silu, and 2.5e-7 of its derivative, whose size is about 1. Below
// -87 both keep their values at -87, about -1.4e-36; above 87 they are t and 1.
func BiasSiLU(y, x, b []float32) {
	check(len(y) == len(x))
	n := rows(len(x), len(b))
	read(b)
	wrote(y, x)
	for t := range tiles(n, len(b)) {
		active.biasSiLU(t.of(y), t.of(x), t.cols(b))
	}
}

// SiLU is t = x[i]; y[i] = silu(t); x[i] = silu'(t), as BiasSiLU computes them.
func SiLU(y, x []float32) {
	check(len(y) == len(x))
	wrote(y, x)
	for lo, hi := range pieces(len(x)) {
		active.siLU(y[lo:hi], x[lo:hi])
	}
}

// SumSiLU is t = h[i] + e[i]; y[i] = silu(t); s[i] = silu'(t), as BiasSiLU computes them. One of y
// and s may be h or e.
func SumSiLU(y, s, h, e []float32) {
	check(len(y) == len(h) && len(s) == len(h) && len(e) == len(h))
	read(h, e)
	wrote(y, s)
	for lo, hi := range pieces(len(h)) {
		active.sumSiLU(y[lo:hi], s[lo:hi], h[lo:hi], e[lo:hi])
	}
}

// AffineSiLU is t = fma(x[i,j], a[j], b[j]); y[i,j] = silu(t); s[i,j] = silu'(t), as BiasSiLU
// computes them. One of y and s may be x.
func AffineSiLU(y, s, x, a, b []float32) {
	check(len(y) == len(x) && len(s) == len(x) && len(b) == len(a))
	n := rows(len(x), len(a))
	read(x, a, b)
	wrote(y, s)
	for t := range tiles(n, len(a)) {
		active.affineSiLU(t.of(y), t.of(s), t.of(x), t.cols(a), t.cols(b))
	}
}

// EmbedSiLU is h[i,j] += b[j]; t = h + e; y = silu(t); s = silu'(t).
func EmbedSiLU(y, s, h, b, e []float32) {
	check(len(y) == len(h) && len(s) == len(h) && len(e) == len(h))
	n := rows(len(h), len(b))
	read(b, e)
	wrote(y, s, h)
	for t := range tiles(n, len(b)) {
		active.embedSiLU(t.of(y), t.of(s), t.of(h), t.cols(b), t.of(e))
	}
}

// SkipSiLU is h[i,j] = (h[i,j] + b[j]) + skip[i,j]; t = h + e; y = silu(t); s = silu'(t).
func SkipSiLU(y, s, h, b, skip, e []float32) {
	check(len(y) == len(h) && len(s) == len(h) && len(skip) == len(h) && len(e) == len(h))
	n := rows(len(h), len(b))
	read(b, skip, e)
	wrote(y, s, h)
	for t := range tiles(n, len(b)) {
		active.skipSiLU(t.of(y), t.of(s), t.of(h), t.cols(b), t.of(skip), t.of(e))
	}
}

// SiLUBackward is dx[i] = s[i]*dy[i], s the derivative that the forward pass kept; dx may be s or
// dy.
func SiLUBackward(dx, s, dy []float32) {
	check(len(dx) == len(s) && len(dy) == len(s))
	read(s, dy)
	wrote(dx)
	for lo, hi := range pieces(len(s)) {
		active.siLUBackward(dx[lo:hi], s[lo:hi], dy[lo:hi])
	}
}

// SiLUBackwardAdd is dx[i] = fma(s[i], dy[i], dx[i]): SiLUBackward, added to a gradient.
func SiLUBackwardAdd(dx, s, dy []float32) {
	check(len(dx) == len(s) && len(dy) == len(s))
	read(s, dy)
	wrote(dx)
	for lo, hi := range pieces(len(s)) {
		active.siLUBackwardAdd(dx[lo:hi], s[lo:hi], dy[lo:hi])
	}
}

// SkipSiLUBackward is t = s[i]*dy[i]; embed[i] += t; below[i] = above[i] + t. It takes the gradient
// with respect to a residual block's output, above, to those with respect to its input, below, and
// to the embedding.
func SkipSiLUBackward(below, embed, above, s, dy []float32) {
	n := len(below)
	check(len(embed) == n && len(above) == n && len(s) == n && len(dy) == n)
	read(above, s, dy)
	wrote(below, embed)
	for lo, hi := range pieces(n) {
		active.skipSiLUBackward(below[lo:hi], embed[lo:hi], above[lo:hi], s[lo:hi], dy[lo:hi])
	}
}

// Sinusoids is dst[i, k] = sin(x), dst[i, F+k] = cos(x) for x = lambda[i]*freq[k] and
// F = len(freq). Rows of dst have width 2F <= MaxRow. Largest error 1e-7 for |x| <= 2^16; NaN
// beyond.
func Sinusoids(dst, lambda, freq []float32) {
	check(len(dst) == 2*len(lambda)*len(freq))
	checkRow(2 * len(freq))
	read(lambda, freq)
	wrote(dst)
	for t := range tiles(len(lambda), 2*len(freq)) {
		active.sinusoids(t.of(dst), t.rows(lambda), freq)
	}
}
