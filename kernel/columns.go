package kernel

// Affine is y[i,j] = fma(x[i,j], a[j], b[j]). y may be x.
func Affine(y, x, a, b []float32) {
	check(len(y) == len(x) && len(b) == len(a))
	n := rows(len(x), len(a))
	read(x, a, b)
	wrote(y)
	for t := range tiles(n, len(a)) {
		active.affine(t.of(y), t.of(x), t.cols(a), t.cols(b))
	}
}

// AffineGrad is dx[i,j] = fma(dy[i,j], a[j], fma(x[i,j], b[j], c[j])), the gradient through a
// normalisation whose statistics depend on x. dx may be dy or x.
func AffineGrad(dx, dy, x, a, b, c []float32) {
	affineGrad(active.affineGrad, dx, dy, x, a, b, c)
}

// AffineGradAdd is dx[i,j] += fma(dy[i,j], a[j], fma(x[i,j], b[j], c[j])): AffineGrad, added to a
// gradient.
func AffineGradAdd(dx, dy, x, a, b, c []float32) {
	affineGrad(active.affineGradAdd, dx, dy, x, a, b, c)
}

func affineGrad(f func(dx, dy, x, a, b, c []float32), dx, dy, x, a, b, c []float32) {
	check(len(dx) == len(x) && len(dy) == len(x) && len(b) == len(a) && len(c) == len(a))
	n := rows(len(x), len(a))
	read(dy, x, a, b, c)
	wrote(dx)
	for t := range tiles(n, len(a)) {
		f(t.of(dx), t.of(dy), t.of(x), t.cols(a), t.cols(b), t.cols(c))
	}
}

// ColSum is dst[j] = scale * sum over rows i of x[i*stride+j], rows added in order from +0. The
// last row of x may end with its len(dst) summed columns.
func ColSum(dst, x []float32, stride int, scale float32) {
	clear(dst)
	ColSumAdd(dst, x, stride)
	Scale(dst, scale)
}

// ColSumAdd is dst[j] += x[i*stride+j] for rows i in order, so that a sum can go on from one array
// to the next. The last row of x may end with its len(dst) summed columns.
func ColSumAdd(dst, x []float32, stride int) {
	check(stride > 0 && len(dst) <= stride && (len(x)%stride == 0 || len(x)%stride >= len(dst)))
	read(x)
	wrote(dst)
	n := (len(x) + stride - len(dst)) / stride
	for from, to := range pieces(len(dst)) {
		step := MaxRow / (to - from)
		for lo := 0; lo < n; lo += step {
			hi := min(n, lo+step)
			active.addRows(dst[from:to], x[lo*stride+from:(hi-1)*stride+to], stride, hi-lo)
		}
	}
}

// ColDot is dst[j] = fma(x[i,j], y[i,j], dst[j]) for rows i in order, from +0.
func ColDot(dst, x, y []float32) {
	check(len(y) == len(x))
	n := rows(len(x), len(dst))
	read(x, y)
	wrote(dst)
	clear(dst)
	for t := range tiles(n, len(dst)) {
		active.colDot(t.cols(dst), t.of(x), t.of(y), t.hi-t.lo)
	}
}

// ColSquares is d = x[i,j] - m[j]; dst[j] = fma(d, d, dst[j]) for rows i in order, from +0.
func ColSquares(dst, x, m []float32) {
	check(len(m) == len(dst))
	n := rows(len(x), len(dst))
	read(x, m)
	wrote(dst)
	clear(dst)
	for t := range tiles(n, len(dst)) {
		active.colSquares(t.cols(dst), t.of(x), t.cols(m), t.hi-t.lo)
	}
}
