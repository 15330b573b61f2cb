package kernel

// SiLU is t = x[i]; y[i] = silu(t); x[i] = silu'(t), with silu(t) = t/(1 + exp(-t)): the derivative
// replaces its argument, for the backward pass to multiply with. Largest errors for |t| <= 87: 4
// ulp of silu, and 2.5e-7 of its derivative, whose size is about 1. Below -87 both keep their
// values at -87, about -1.4e-36; above 87 they are t and 1.
func SiLU(y, x []float32) {
	check(len(y) == len(x))
	wrote(y, x)
	for lo, hi := range pieces(len(x)) {
		active.siLU(y[lo:hi], x[lo:hi])
	}
}

// SumSiLU is t = h[i] + e[i]; y[i] = silu(t); s[i] = silu'(t), as SiLU computes them. One of y
// and s may be h or e.
func SumSiLU(y, s, h, e []float32) {
	check(len(y) == len(h) && len(s) == len(h) && len(e) == len(h))
	read(h, e)
	wrote(y, s)
	for lo, hi := range pieces(len(h)) {
		active.sumSiLU(y[lo:hi], s[lo:hi], h[lo:hi], e[lo:hi])
	}
}

// AffineSiLU is t = fma(x[i,j], a[j], b[j]); y[i,j] = silu(t); s[i,j] = silu'(t), as SiLU
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
