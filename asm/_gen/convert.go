package main

func (m machine) conversions() {
	m.begin("U8ToF32", "func(dst []float32, src []uint8)", "dst = (src*(2/255)) - 1")
	n := m.length("dst")
	dst, src := m.floats("dst")[0], stream{m.base("src"), 1}
	unit, one := m.konst(2.0/255), m.konst(1)
	m.span("n", n, 2, []stream{dst, src}, func(i int) {
		v := m.do(opFromInt, m.loadU8(src.p, src.off(i)))
		m.put(m.sub(m.mul(v, unit), one), dst, i)
	})
	m.end()

	m.begin("F32ToU8", "func(dst []uint8, src []float32)",
		"dst = integer part of (clamp(src, -1, 1) + 1)*127.5 + 0.5; 0 for NaN")
	n = m.length("dst")
	dst, src = stream{m.base("dst"), 1}, m.floats("src")[0]
	low, high := m.konst(-1), m.konst(1)
	scale, half := m.konst(127.5), m.konst(0.5)
	m.span("n", n, 2, []stream{dst, src}, func(i int) {
		v := m.op(opMinC, m.op(opMaxC, m.get(src, i), low), high)
		v = m.muladd(opHorner, m.add(v, high), scale, half)
		m.storeU8(m.do(opToInt, v), dst.p, dst.off(i))
	})
	m.end()
}
