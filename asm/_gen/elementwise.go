package main

// elementwise emits a kernel over arrays of equal length, the first of which gives it.
func (m machine) elementwise(
	name, signature, doc string, unroll int, arrays []string, body func(s []stream) func(block int),
) {
	m.begin(name, signature, doc)
	n := m.length(arrays[0])
	s := m.floats(arrays...)
	m.span("n", n, unroll, s, body(s))
	m.end()
}

// curve is elementwise for a body with a long chain of operations.
func (m machine) curve(
	name, signature, doc string, arrays []string, body func(s []stream) func(block int),
) {
	m.begin(name, signature, doc)
	n := m.length(arrays[0])
	s := m.floats(arrays...)
	m.mixed("n", n, s, body(s))
	m.end()
}

// blockwise emits a kernel over rows of arrays, all of cols numbers and ld apart.
func (m machine) blockwise(
	name, signature, doc string, arrays []string, body func(s []stream) func(block int),
) {
	m.begin(name, signature, doc)
	s := m.floats(arrays...)
	step := body(s)
	gap := m.integer("ld")
	m.subFrom(gap, m.integer("cols"))
	m.eachRow(m.integer("rows"), func() {
		m.span("n", m.integer("cols"), 1, s, step)
		for _, x := range s {
			m.advance(x, gap)
		}
	})
	m.end()
}

func (m machine) optimizers() {
	m.sgd()
	m.rmsprop()
	m.adam()
	m.adamAverage()
	m.ema()
}

func (m machine) sgd() {
	m.elementwise(
		"SGD", "func(p, g []float32, lr float32)", "p -= lr*g", 2, []string{"p", "g"},
		func(s []stream) func(int) {
			lr := m.float("lr")
			return func(i int) {
				p := m.get(s[0], i)
				m.put(m.muladd(opAccumNeg, p, lr, m.get(s[1], i)), s[0], i)
			}
		},
	)
}

func (m machine) rmsprop() {
	m.elementwise(
		"RMSprop", "func(p, v, g []float32, lr, mix, eps float32)",
		"v += mix*(g*g - v); p -= lr*g/(sqrt(v) + eps)", 1, []string{"p", "v", "g"},
		func(s []stream) func(int) {
			lr, mix, eps := m.float("lr"), m.float("mix"), m.float("eps")
			return func(i int) {
				g, v := m.get(s[2], i), m.get(s[1], i)
				v = m.muladd(opAccum, v, mix, m.muladd(opHornerSub, m.dup(g), g, v))
				m.put(v, s[1], i)
				step := m.div(m.mul(lr, g), m.add(m.do(opSqrt, v), eps))
				m.put(m.sub(m.get(s[0], i), step), s[0], i)
			}
		},
	)
}

func (m machine) adam() {
	m.elementwise(
		"Adam", "func(p, m, v, g []float32, lr, mix1, mix2, eps, root float32)",
		"m += mix1*(g - m); v += mix2*(g*g - v); p -= lr*m/(sqrt(v)*root + eps)", 1,
		[]string{"p", "m", "v", "g"},
		func(s []stream) func(int) {
			rates := m.adamRates()
			// Loads come before stores: arrays at like places in their pages hold each other up.
			return func(i int) {
				p, mean, v, g := m.get(s[0], i), m.get(s[1], i), m.get(s[2], i), m.get(s[3], i)
				mean, v = rates.moments(mean, v, g)
				p = rates.step(p, mean, v)
				m.put(mean, s[1], i)
				m.put(v, s[2], i)
				m.put(p, s[0], i)
			}
		},
	)
}

// adamRates are what a step of Adam is the same for all its numbers in.
type adamRates struct {
	m                         machine
	lr, mix1, mix2, eps, root vec
}

func (m machine) adamRates() adamRates {
	lr, mix1, mix2 := m.float("lr"), m.float("mix1"), m.float("mix2")
	return adamRates{m, lr, mix1, mix2, m.float("eps"), m.float("root")}
}

func (r adamRates) moments(mean, v, g vec) (vec, vec) {
	m := r.m
	mean = m.muladd(opAccum, mean, r.mix1, m.sub(g, mean))
	return mean, m.muladd(opAccum, v, r.mix2, m.muladd(opHornerSub, m.dup(g), g, v))
}

func (r adamRates) step(p, mean, v vec) vec {
	m := r.m
	below := m.muladd(opHorner, m.do(opSqrt, v), r.root, r.eps)
	return m.sub(p, m.div(m.mul(r.lr, mean), below))
}

// averageAhead is how many blocks ahead AdamAverage prefetches. CPUs stop reading ahead at the end
// of a page, and with as many arrays they do not start early enough behind it.
const averageAhead = 12

func (m machine) adamAverage() {
	m.blockwise(
		"AdamAverage", "func(p, m, v, avg, g []float32, ld, cols, rows int, "+
			"lr, mix1, mix2, eps, root, keep, rate float32)",
		"Adam of keep*p, and avg += rate*(p - avg), in rows of cols that are ld apart",
		[]string{"p", "m", "v", "avg", "g"},
		func(s []stream) func(int) {
			rates, keep, rate := m.adamRates(), m.float("keep"), m.float("rate")
			return func(i int) {
				for _, x := range s[:4] { // of the gradient, squares have been summed just before
					m.prefetch(x.p, x.off(i+averageAhead))
				}
				p := m.mul(m.get(s[0], i), keep)
				mean, v, g := m.get(s[1], i), m.get(s[2], i), m.get(s[4], i)
				avg := m.get(s[3], i)
				mean, v = rates.moments(mean, v, g)
				p = rates.step(p, mean, v)
				m.put(mean, s[1], i)
				m.put(v, s[2], i)
				m.put(p, s[0], i)
				m.put(m.muladd(opAccum, avg, rate, m.sub(p, avg)), s[3], i)
			}
		},
	)
}

func (m machine) ema() {
	m.elementwise(
		"EMA", "func(avg, p []float32, rate float32)", "avg += rate*(p - avg)", 2,
		[]string{"avg", "p"},
		func(s []stream) func(int) {
			rate := m.float("rate")
			return func(i int) {
				avg := m.get(s[0], i)
				m.put(m.muladd(opAccum, avg, rate, m.sub(m.get(s[1], i), avg)), s[0], i)
			}
		},
	)
}

func (m machine) linearAlgebra() {
	m.elementwise(
		"Add", "func(dst, x []float32)", "dst += x", 4, []string{"dst", "x"},
		func(s []stream) func(int) {
			return func(i int) { m.put(m.add(m.get(s[0], i), m.get(s[1], i)), s[0], i) }
		},
	)
	m.elementwise(
		"Axpy", "func(y []float32, a float32, x []float32)", "y += a*x", 4, []string{"y", "x"},
		func(s []stream) func(int) {
			a := m.float("a")
			return func(i int) {
				y := m.get(s[0], i)
				m.put(m.muladd(opAccum, y, a, m.get(s[1], i)), s[0], i)
			}
		},
	)
	m.elementwise(
		"Scale", "func(x []float32, a float32)", "x *= a", 4, []string{"x"},
		func(s []stream) func(int) {
			a := m.float("a")
			return func(i int) { m.put(m.mul(m.get(s[0], i), a), s[0], i) }
		},
	)
	m.clip()
	m.elementwise(
		"Combine2", "func(z []float32, a float32, x []float32, b float32)", "z = a*z + (b*x)", 2,
		[]string{"z", "x"},
		func(s []stream) func(int) {
			a, b := m.float("a"), m.float("b")
			return func(i int) {
				bx := m.mul(m.get(s[1], i), b)
				m.put(m.muladd(opHorner, m.get(s[0], i), a, bx), s[0], i)
			}
		},
	)
	m.elementwise(
		"Combine3", "func(z []float32, a float32, x []float32, b float32, y []float32, c float32)",
		"z = a*z + (b*x + (c*y))", 2, []string{"z", "x", "y"},
		func(s []stream) func(int) {
			a, b, c := m.float("a"), m.float("b"), m.float("c")
			return func(i int) {
				cy := m.mul(m.get(s[2], i), c)
				bx := m.muladd(opHorner, m.get(s[1], i), b, cy)
				m.put(m.muladd(opHorner, m.get(s[0], i), a, bx), s[0], i)
			}
		},
	)
	m.extremes()
}

func (m machine) clip() {
	m.elementwise(
		"Clip", "func(x []float32)", "x = min(1, max(-1, x)); NaN stays NaN", 4, []string{"x"},
		func(s []stream) func(int) {
			lo, hi := m.konst(-1), m.konst(1)
			return func(i int) {
				m.put(m.op(opMin, hi, m.op(opMax, lo, m.get(s[0], i))), s[0], i)
			}
		},
	)
}

// ordered maps float32 bits to integers in the order of the numbers, -0 below 0, NaN outermost:
// the bits without their sign are inverted where the sign is set. It is its own inverse.
func (m machine) ordered(v vec, mask vec) vec {
	return m.op(opXor, v, m.op(opAnd, m.sar(v, 31), mask))
}

func (m machine) extremes() {
	m.begin(
		"Extremes", "func(x []float32) (lo, hi int32)",
		"the least and the greatest of x, which is not empty, as ordered integers: "+
			"the bits, those below the sign inverted where it is set",
	)
	n := m.length("x")
	s := m.floats("x")
	mask := m.konstInt(0x7fffffff)
	first := m.broadcast(s[0].p, 0)
	lo := m.ordered(m.block(first), mask)
	hi := m.dup(lo)
	m.span("n", n, 1, s, func(i int) {
		v := m.ordered(m.loadOr(s[0].p, s[0].off(i), first), mask)
		for k := range v {
			m.into(opIMin, lo[k], v[k])
			m.into(opIMax, hi[k], v[k])
		}
	})
	m.resultInts(m.foldBy(lo, opIMin), m.foldBy(hi, opIMax))
	m.end()
}
