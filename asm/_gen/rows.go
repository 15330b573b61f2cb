package main

// row is what a kernel does in every row; start and end may be nil.
type row struct {
	start func()      // before the first block: its numbers
	block func(i int) // with each block
	end   func()      // after the last one: its sum
}

// rowwise emits a kernel over the rows, of width d, of arrays: one row for each element of the
// array perRow.
func (m machine) rowwise(
	name, signature, doc, perRow string, arrays []string, body func(s []stream) row,
) {
	m.begin(name, signature, doc)
	d, rows := m.integer("d"), m.length(perRow)
	s := m.floats(arrays...)
	r := body(s)
	m.eachRow(rows, func() {
		if r.start != nil {
			r.start()
		}
		n := m.copyGP(d)
		m.span("n", n, 1, s, r.block)
		if r.end != nil {
			r.end()
		}
	})
	m.end()
}

// squares accumulates a row's sum of squares, or of products, and stores it in an array of one per
// row.
type squares struct {
	m   machine
	dst stream
	acc vec
}

func (q *squares) start() { q.acc = q.m.zeros() }

// add ignores lanes outside a tail: v need not be zero there, and may even be NaN, where an
// infinite number of the row met a zero.
func (q *squares) add(v vec) {
	v = q.m.inTail(v)
	q.m.muladd(opAccum, q.acc, v, v)
}

// addProduct is of numbers as they were loaded: zeros outside a tail.
func (q *squares) addProduct(v, w vec) { q.m.muladd(opAccum, q.acc, v, w) }

func (q *squares) end() {
	q.m.storeScalar(q.m.fold(q.acc), q.dst.p, 0)
	q.m.addImm(q.dst.p, 4)
}

func (m machine) rowKernels() {
	m.scaledRows()
	m.scoreResidual()
	m.dataResidual()
	m.sinusoids()
}

// scaledRows are norms of rows, and rows multiplied by a number each.
func (m machine) scaledRows() {
	m.squareNorms()
	m.rowwise(
		"DotRows", "func(dst, x, y []float32, d int)", "dst[i] = row i of x times row i of y",
		"dst", []string{"x", "y"},
		func(s []stream) row {
			q := &squares{m: m, dst: m.floats("dst")[0]}
			return row{start: q.start, end: q.end, block: func(i int) {
				q.addProduct(m.get(s[0], i), m.get(s[1], i))
			}}
		},
	)

	m.rowwise(
		"ScaleRows", "func(x, a []float32, d int)", "x[i,j] *= a[i]", "a", []string{"x"},
		func(s []stream) row {
			as := m.floats("a")[0]
			var a vec
			return row{
				start: func() { a = m.perRow(as) },
				block: func(i int) { m.put(m.mul(m.get(s[0], i), a), s[0], i) },
			}
		},
	)

	m.rowwise(
		"CombineRows", "func(dst, x, a, y, b, z []float32, c float32, d int)",
		"dst = a[i]*x + (b[i]*y + (c*z))", "a", []string{"dst", "x", "y", "z"},
		func(s []stream) row {
			as, bs, c := m.floats("a")[0], m.floats("b")[0], m.float("c")
			var a, b vec
			return row{
				start: func() { a, b = m.perRow(as), m.perRow(bs) },
				block: func(i int) {
					cz := m.mul(m.get(s[3], i), c)
					by := m.muladd(opHorner, m.get(s[2], i), b, cz)
					m.put(m.muladd(opHorner, m.get(s[1], i), a, by), s[0], i)
				},
			}
		},
	)
}

func (m machine) squareNorms() {
	m.begin(
		"SquareNorms", "func(dst, x []float32, ld, d int)",
		"dst[i] = sum of the squares of x[i*ld+j] for j < d",
	)
	q := &squares{m: m, dst: m.floats("dst")[0]}
	rows, x := m.length("dst"), m.floats("x")
	d, gap := m.integer("d"), m.integer("ld")
	m.subFrom(gap, d)
	m.eachRow(rows, func() {
		q.start()
		m.span("n", m.copyGP(d), 1, x, func(i int) { q.add(m.get(x[0], i)) })
		q.end()
		m.advance(x[0], gap)
	})
	m.end()
}

func (m machine) scoreResidual() {
	m.rowwise(
		"ScoreResidual", "func(e, sq, zl, r, eps, sigma []float32, d int)",
		"e = (sigma[i]*zl + r) - eps; sq[i] = |e|^2", "sq", []string{"e", "zl", "r", "eps"},
		func(s []stream) row {
			q := &squares{m: m, dst: m.floats("sq")[0]}
			sigmas := m.floats("sigma")[0]
			var sigma vec
			return row{
				start: func() { sigma = m.perRow(sigmas); q.start() },
				end:   q.end,
				block: func(i int) {
					e := m.muladd(opHorner, m.get(s[1], i), sigma, m.get(s[2], i))
					e = m.sub(e, m.get(s[3], i))
					m.put(e, s[0], i)
					q.add(e)
				},
			}
		},
	)
}

// dataResidual compares each image with all of its rows before it moves to the next image.
func (m machine) dataResidual() {
	m.begin(
		"DataResidual", "func(e, sq, y, x []float32, phase, repeat, d int, scale float32)",
		"e = y - image; sq[i] = |e|^2; e *= scale; "+
			"repeat rows share an image of x, but phase fewer the first",
	)
	rows, d := m.length("sq"), m.integer("d")
	s := m.floats("e", "y")
	images := m.floats("x")[0]
	q := &squares{m: m, dst: m.floats("sq")[0]}
	repeat := m.integer("repeat")
	left := m.copyGP(repeat)
	phase := m.integer("phase")
	m.subFrom(left, phase)
	scale := m.float("scale")
	m.eachRow(rows, func() {
		x := m.restart(images)
		q.start()
		n := m.copyGP(d)
		m.span("n", n, 1, append([]stream{x}, s...), func(i int) {
			e := m.sub(m.get(s[1], i), m.get(x, i))
			q.add(e)
			m.put(m.mul(e, scale), s[0], i)
		})
		q.end()
		m.addImm(left, -1)
		m.branch(left, notEqual, 0, "same")
		m.moveGP(images.p, x.p)
		m.moveGP(left, repeat)
		m.label("same")
	})
	m.end()
}

// pi/2 in three parts of 24 bits, the inverse of their sum, and the largest angle, beyond which the
// number of quarter turns would be too inexact.
const (
	quarter1     = 0x1.921fb6p+0
	quarter2     = -0x1.777a5cp-25
	quarter3     = -0x1.ee59dap-50
	quarterTurns = 0x1.45f306p-1
	sinLimit     = 0x1p16
)

// sinusoids subtracts quarter turns from the angle, part by part; the first difference is exact.
func (m machine) sinusoids() {
	m.begin("Sinusoids", "func(dst, lambda, freq []float32)",
		"dst[i,k] = sin(lambda[i]*freq[k]); dst[i,F+k] = cos(lambda[i]*freq[k]) for F = len(freq)")
	f, rows := m.length("freq"), m.length("lambda")
	sin := m.floats("dst")[0]
	lambdas, freqs := m.floats("lambda")[0], m.floats("freq")[0]
	turns, magic := m.konst(quarterTurns), m.konst(roundMagic)
	parts := []vec{m.konst(quarter1), m.konst(quarter2), m.konst(quarter3)}
	mask, limit := m.konstInt(0x7fffffff), m.konst(sinLimit)
	c := m.newSinCos()
	m.eachRow(rows, func() {
		lambda := m.perRow(lambdas)
		cos := m.restart(sin)
		m.advance(cos, f)
		freq := m.restart(freqs)
		n := m.copyGP(f)
		m.span("n", n, 1, []stream{sin, cos, freq}, func(i int) {
			x := m.mul(m.get(freq, i), lambda)
			x = m.within(x, mask, limit)
			q := m.muladd(opHorner, m.dup(x), turns, magic)
			turn := m.sub(q, magic)
			for _, p := range parts {
				x = m.muladd(opAccumNeg, x, turn, p)
			}
			s, c := c.eval(x, m.shl(q, 30))
			m.put(s, sin, i)
			m.put(c, cos, i)
		})
		m.moveGP(sin.p, cos.p)
	})
	m.end()
}

// within is x, but NaN where |x| exceeds the limit or is NaN.
func (m machine) within(x, mask, limit vec) vec {
	over := m.sar(m.op(opISub, limit, m.op(opAnd, x, mask)), 31)
	return m.op(opOr, x, over)
}
