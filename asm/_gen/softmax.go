package main

import "math"

func (m machine) softmaxes() {
	m.softmax()
	m.softmaxBackward()
}

// softmax passes over a row three times: for its maximum, its exponentials and their sum, and their
// shares of it. Lanes outside a tail count as the row's first number in the maximum.
func (m machine) softmax() {
	m.begin(
		"Softmax", "func(y, x []float32, scale float32, rows, d int)",
		"v = scale*x; y = exp(v - max v) / sum of them, for each row",
	)
	d, rows := m.integer("d"), m.integer("rows")
	s := m.floats("y", "x")
	y, x := s[0], s[1]
	scale, limit := m.float("scale"), m.konst(siluLimit)
	one := m.konst(1)
	exp := m.newExponential()
	m.eachRow(rows, func() {
		first := m.broadcast(x.p, 0)
		most := m.block(m.mul(first, scale))
		at := m.restart(x)
		m.span("max", m.copyGP(d), 1, []stream{at}, func(i int) {
			v := m.mul(m.loadOr(at.p, at.off(i), first), scale)
			for k := range v {
				m.into(opMax, most[k], v[k])
			}
		})
		top := m.spread(m.foldBy(most, opMax))
		acc := m.zeros()
		out := m.restart(y)
		m.mixed("exp", m.copyGP(d), []stream{out, x}, func(i int) {
			w := m.op(opMin, limit, m.sub(top, m.mul(m.get(x, i), scale)))
			e := m.mul(exp.eval(w))
			m.put(e, out, i)
			e = m.inTail(e)
			for k := range e {
				m.into(opAdd, acc[k], e[k])
			}
		})
		share := m.spread(m.binScalar(opDiv, one[0], m.fold(acc)))
		m.span("share", m.copyGP(d), 2, []stream{y}, func(i int) {
			m.put(m.mul(m.get(y, i), share), y, i)
		})
	})
	m.end()
}

// softmaxBackward: lanes outside a tail add -0, which changes no sum.
func (m machine) softmaxBackward() {
	m.begin(
		"SoftmaxBackward", "func(dx, y, dy []float32, scale float32, rows, d int)",
		"dx = (scale*y)*(dy - p) with p = sum of y*dy, for each row",
	)
	d, rows := m.integer("d"), m.integer("rows")
	s := m.floats("dx", "y", "dy")
	scale, negZero := m.float("scale"), m.konst(float32(math.Copysign(0, -1)))
	m.eachRow(rows, func() {
		acc := m.zeros()
		y, dy := m.restart(s[1]), m.restart(s[2])
		m.span("dot", m.copyGP(d), 1, []stream{y, dy}, func(i int) {
			m.muladd(opAccum, acc, m.loadOr(y.p, y.off(i), negZero), m.get(dy, i))
		})
		p := m.spread(m.fold(acc))
		m.span("grad", m.copyGP(d), 2, s, func(i int) {
			y := m.mul(m.get(s[1], i), scale)
			m.put(m.mul(y, m.sub(m.get(s[2], i), p)), s[0], i)
		})
	})
	m.end()
}
