package kernel

// Softmax is, for each row of d <= MaxRow numbers of x, v[j] = scale*x[j]; m = max v;
// e[j] = exp(v[j] - m); y[j] = e[j] * (1/sum e), the sum in the order of the package comment, by
// additions. Where v[j] - m is below -87, e[j] is exp(-87), about 1.6e-38. Largest error of e: 1.5
// ulp, beside the rounding of v and of its difference from m. A row in which some v is NaN or +Inf,
// or each is -Inf, is NaN in all its numbers. y may be x.
func Softmax(y, x []float32, scale float32, d int) {
	check(len(y) == len(x))
	checkRow(d)
	n := rows(len(x), d)
	read(x)
	wrote(y)
	for t := range tiles(n, d) {
		active.softmax(t.of(y), t.of(x), scale, t.hi-t.lo, d)
	}
}

// SoftmaxBackward is, for each row of d <= MaxRow numbers, p = sum of y[j]*dy[j], in the order of
// the package comment; dx[j] = (scale*y[j]) * (dy[j] - p): the gradient through Softmax, from what
// it gave. dx may be y or dy.
func SoftmaxBackward(dx, y, dy []float32, scale float32, d int) {
	check(len(dx) == len(y) && len(dy) == len(y))
	checkRow(d)
	n := rows(len(y), d)
	read(y, dy)
	wrote(dx)
	for t := range tiles(n, d) {
		active.softmaxBackward(t.of(dx), t.of(y), t.of(dy), scale, t.hi-t.lo, d)
	}
}
