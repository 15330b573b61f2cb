package kernel

// ScoreResidual is e = fma(sigma[i], zl, r) - eps and sq[i] = |e|^2 for each row i of width d. e
// may be any of the others.
func ScoreResidual(e, sq, zl, r, eps, sigma []float32, d int) {
	n := len(sq)
	check(len(e) == n*d && len(zl) == n*d && len(r) == n*d && len(eps) == n*d && len(sigma) == n)
	read(zl, r, eps, sigma)
	wrote(e, sq)
	for t := range tiles(n, d) {
		t.sum(sq, func(sq []float32) {
			active.scoreResidual(
				t.of(e), sq, t.of(zl), t.of(r), t.of(eps), t.rows(sigma), t.width(),
			)
		})
	}
}

// DataResidual is e[i] = y[i] - x[i/repeat] and sq[i] = |e[i]|^2 for each row i of width d,
// where x holds one row for every repeat rows of y; then e is multiplied by scale. y may begin
// within a larger array: first is the number of its first row there, and x is the images of all.
// e may be y.
func DataResidual(e, sq, y, x []float32, first, repeat, d int, scale float32) {
	n := len(sq)
	check(
		len(e) == n*d && len(y) == n*d && repeat > 0 &&
			(n == 0 || (first+n-1)/repeat*d+d <= len(x)),
	)
	read(y, x)
	wrote(e, sq)
	for t := range tiles(n, d) {
		images := x[(first+t.lo)/repeat*d+t.left:]
		t.sum(sq, func(sq []float32) {
			active.dataResidual(
				t.of(e), sq, t.of(y), images, (first+t.lo)%repeat, repeat, t.width(), scale,
			)
		})
	}
}

// SquareNorms is dst[i] = |row i of x|^2, rows of width d.
func SquareNorms(dst, x []float32, d int) {
	check(len(x) == len(dst)*d)
	read(x)
	wrote(dst)
	for t := range tiles(len(dst), d) {
		t.sum(dst, func(dst []float32) { active.squareNorms(dst, t.of(x), t.width(), t.width()) })
	}
}

// SquareRows is dst[i] = |row i of x|^2 of rows of d <= [MaxRow] numbers that lie ld apart.
func SquareRows(dst, x []float32, ld, d int) {
	rows := len(dst)
	checkGrid(rows, ld, d, x)
	if raceEnabled {
		readGrid(x, rows, ld, d)
		wrote(dst)
	}
	for lo, hi := range strips(rows, d) {
		active.squareNorms(dst[lo:hi], x[lo*ld:], ld, d)
	}
}

// DotRows is dst[i] = row i of x times row i of y, rows of width d, summed as |x|^2 is.
func DotRows(dst, x, y []float32, d int) {
	check(len(x) == len(dst)*d && len(y) == len(x))
	read(x, y)
	wrote(dst)
	for t := range tiles(len(dst), d) {
		t.sum(dst, func(dst []float32) { active.dotRows(dst, t.of(x), t.of(y), t.width()) })
	}
}

// ScaleRows is x[i,j] *= a[i] for rows of width d.
func ScaleRows(x, a []float32, d int) {
	check(len(x) == len(a)*d)
	read(a)
	wrote(x)
	for t := range tiles(len(a), d) {
		active.scaleRows(t.of(x), t.rows(a), t.width())
	}
}

// CombineRows is dst = fma(a[i], x, fma(b[i], y, c*z)) for each row i of width d. dst may be x, y
// or z.
func CombineRows(dst, x, a, y, b, z []float32, c float32, d int) {
	n := len(a)
	check(len(b) == n && len(dst) == n*d && len(x) == n*d && len(y) == n*d && len(z) == n*d)
	read(x, a, y, b, z)
	wrote(dst)
	for t := range tiles(n, d) {
		active.combineRows(t.of(dst), t.of(x), t.rows(a), t.of(y), t.rows(b), t.of(z), c, t.width())
	}
}

// MeanRows is row i of dst = (1/repeat) * sum of rows i*repeat .. (i+1)*repeat-1 of x, added in
// order; rows of width d.
func MeanRows(dst, x []float32, repeat, d int) {
	check(len(x) == len(dst)*repeat && repeat > 0)
	for i := range rows(len(dst), d) {
		ColSum(dst[i*d:(i+1)*d], x[i*repeat*d:(i+1)*repeat*d], d, 1/float32(repeat))
	}
}
