package main

import "github.com/mmcloughlin/avo/operand"

// pairProducts emits tiles whose numbers are pairs of bf16.
func (m machine) pairProducts() {
	a := m.isa.(*amd64)
	product := func(acc, x, y vec) {
		for i := range acc {
			sum := acc[i].(operand.Op)
			dot := a.encoded("VDPBF16PS", y.at(i).(operand.Op), x.at(i).(operand.Op), sum)
			dot.Outputs = []operand.Op{sum}
		}
	}
	m.products("for pairs of bf16 two products, that of the second numbers first", product)
	m.peak("products of pairs", product)
}

// halfPacking emits what turns float32 into bf16, in the layouts that products of it read.
func (m machine) halfPacking() {
	m.roundHalves()
	m.interleavePairs()
	m.interleaveHalves()
}

// halver rounds to bf16 by the processor's own conversion, which does what the rounding of packing
// asks for but for numbers below the least.
type halver struct {
	amd64       *amd64
	sign, least operand.Op
}

func (a *amd64) newHalver() *halver {
	h := &halver{amd64: a, sign: a.inReg(a.konstInt(signBit)[0])}
	h.least = a.inReg(a.konstInt(leastBits << 1)[0])
	return h
}

// round is the halves of low, then those of high.
func (h *halver) round(low, high vec) operand.Op {
	c := h.amd64.c
	for _, v := range []vec{low, high} {
		x, small := v[0].(operand.Op), c.K()
		size := h.amd64.reg()
		c.VPSLLD(operand.Imm(1), x, size)
		c.VPCMPUD(operand.Imm(1), h.least, size, small) // below
		c.VPANDD(h.sign, x, small, x)
	}
	out := h.amd64.reg()
	i := h.amd64.encoded("VCVTNE2PS2BF16", low[0].(operand.Op), high[0].(operand.Op), out)
	i.Inputs, i.Outputs = i.Operands[:2], []operand.Op{out}
	return out
}

// roundHalves emits rows that are made of 32 numbers at a time.
func (m machine) roundHalves() {
	m.begin(
		"RoundHalves",
		"func(dst []float32, rs, gs int, src []float32, ld, cols, rows int, alpha float32)",
		"half i*2*rs+j/32*2*gs+j%32 of dst = bf16(alpha*src[i*ld+j]) for i < rows, j < cols, and "+
			"0 up to the next multiple of 32",
	)
	a := m.isa.(*amd64)
	alpha, h := m.float("alpha"), a.newHalver()
	to, from, groups := m.base("dst"), m.base("src"), m.integer("gs")
	m.eachRow(m.integer("rows"), func() {
		p, q, n := m.copyGP(from), m.copyGP(to), m.integer("cols")
		load := func(off int) vec { return m.inTail(m.mul(m.load(p, off), alpha)) }
		put := func(low, high vec) { a.c.VMOVUPS(h.round(low, high), at(q, 0)) }
		m.branch(n, less, 2*blockLen, "rest")
		m.label("blocks")
		put(load(0), load(4*blockLen))
		m.addImm(p, 8*blockLen)
		m.addScaled(q, groups, 4)
		m.addImm(n, -2*blockLen)
		m.branch(n, greaterEqual, 2*blockLen, "blocks")
		m.label("rest")
		m.branch(n, equal, 0, "next")
		m.branch(n, less, blockLen, "low")
		m.addImm(n, -blockLen)
		low := load(0)
		m.tail(n)
		put(low, load(4*blockLen))
		m.full()
		m.jump("next")
		m.label("low")
		m.tail(n)
		put(load(0), m.zeros())
		m.full()
		m.label("next")
		m.addScaled(from, m.integer("ld"), 4)
		m.addScaled(to, m.integer("rs"), 4)
	})
	m.end()
}

// interleavePairs emits rows of pairs, of two rows of numbers.
func (m machine) interleavePairs() {
	m.begin(
		"InterleavePairs",
		"func(dst []float32, width int, x, y []float32, ld, cols, rows int, alpha float32)",
		"halves 2*j and 2*j+1 of row i of dst, rows width apart, = bf16(alpha*x[i*ld+j]) and "+
			"bf16(alpha*y[i*ld+j]) for i < rows, j < cols",
	)
	a := m.isa.(*amd64)
	alpha, h, order := m.float("alpha"), a.newHalver(), a.reg()
	pairs := make([]uint32, blockLen) // of halves 16 apart
	for i := range pairs {
		pairs[i] = uint32(i) | uint32(i+blockLen)<<16
	}
	a.c.VMOVUPS(a.constant(pairs...), order)
	s := m.floats("dst", "x", "y")
	m.eachRow(m.integer("rows"), func() {
		row := []stream{m.restart(s[0]), m.restart(s[1]), m.restart(s[2])}
		m.span("n", m.integer("cols"), 2, row, func(i int) {
			both := h.round(m.mul(m.get(row[1], i), alpha), m.mul(m.get(row[2], i), alpha))
			out := a.reg()
			a.c.VPERMW(both, order, out)
			m.put(vec{out}, row[0], i)
		})
		m.advance(s[0], m.integer("width"))
		m.advance(s[1], m.integer("ld"))
		m.advance(s[2], m.integer("ld"))
	})
	m.end()
}

// interleaveHalves emits panels that are made of rows of halves.
func (m machine) interleaveHalves() {
	m.begin(
		"InterleaveHalves",
		"func(dst, src []float32, rs, pairs int)",
		"halves 2*j and 2*j+1 of row i of dst, 32 words each, = half j of rows 2*i and 2*i+1 of "+
			"src, rs words apart, for i < pairs, j < 32",
	)
	a := m.isa.(*amd64)
	left, right := make([]uint32, blockLen), make([]uint32, blockLen) // halves 0 to 15, 16 to 31
	for j := range left {
		left[j] = uint32(j) | uint32(j+2*blockLen)<<16
		right[j] = left[j] + blockLen*(1<<16+1)
	}
	orders := [2]operand.Op{a.reg(), a.reg()}
	a.c.VMOVUPS(a.constant(left...), orders[0])
	a.c.VMOVUPS(a.constant(right...), orders[1])
	to, from, rs := m.base("dst"), m.base("src"), m.integer("rs")
	m.eachRow(m.integer("pairs"), func() {
		x, y := a.reg(), a.reg()
		a.c.VMOVUPS(at(from, 0), x)
		m.addScaled(from, rs, 4)
		a.c.VMOVUPS(at(from, 0), y)
		z := a.reg()
		a.c.VMOVAPS(x, z)
		for i, pairs := range []operand.Op{z, x} {
			a.c.VPERMT2W(y, orders[i], pairs)
			a.c.VMOVUPS(pairs, at(to, 4*blockLen*i))
		}
		m.addScaled(from, rs, 4)
		m.addImm(to, 8*blockLen)
	})
	m.end()
}
