package main

import (
	"fmt"
	"math"
)

const (
	uniformUnit   = 0x1p-24
	sqrtHalfBits  = 0x3f3504f3            // of sqrt(1/2)
	ln2Hi         = 0x1.62e4p-1           // leading bits of ln 2: a small integer times it is exact
	ln2Lo         = 0x1.7f7d1cf79abcap-20 // ln 2 - ln2Hi
	fourthOfAngle = math.Pi * 0x1p-33     // radians in a unit of four times the angle words
)

// Polynomials of trainer/ALGORITHM.md section 9, highest power first where nothing else is said.
var (
	lnPoly = []float32{ // times -2, lowest power first
		-0x1.555554p-1, 0x1.000226p-1, -0x1.99a008p-2, 0x1.547244p-2,
		-0x1.22da1cp-2, 0x1.0d8542p-2, -0x1.055b6cp-2, 0x1.38b582p-3,
	}
	sinPoly = []float32{-0x1.994eb4p-13, 0x1.11076p-7, -0x1.555546p-3}
	cosPoly = []float32{0x1.9a025ap-16, -0x1.6c0c8cp-10, 0x1.55554ap-5}
)

func (m machine) konsts(fs []float32) []vec {
	out := make([]vec, len(fs))
	for i, f := range fs {
		out[i] = m.konst(f)
	}
	return out
}

// sinCos holds the constants of sine and cosine on [-pi/4, pi/4].
type sinCos struct {
	m             machine
	sin, cos      []vec
	half, one     vec // -1/2, 1
	sign, quarter vec // integers: bit 31, bit 30
}

func (m machine) newSinCos() sinCos {
	return sinCos{
		m: m, sin: m.konsts(sinPoly), cos: m.konsts(cosPoly),
		half: m.konst(-0.5), one: m.konst(1), sign: m.konstInt(1 << 31), quarter: m.konstInt(1 << 30),
	}
}

// eval is the sine and cosine of x plus the quarter turns in the upper two bits of t.
func (c sinCos) eval(x, t vec) (sin, cos vec) {
	m := c.m
	z := m.mul(x, x)
	s := m.poly(z, c.sin...)
	s = m.muladd(opAccum, m.dup(x), m.mul(z, x), s)
	p := m.poly(z, c.cos...)
	k := m.muladd(opHorner, m.dup(z), c.half, c.one)
	k = m.muladd(opAccum, k, m.mul(z, z), p)
	sin, cos = make(vec, len(s)), make(vec, len(s))
	for i := range s {
		sin[i], cos[i] = m.swapBit30(t.at(i), s[i], k[i])
	}
	return c.flip(sin, t), c.flip(cos, m.op(opIAdd, t, c.quarter))
}

// flip changes the sign of x where bit 31 of t is set.
func (c sinCos) flip(x, t vec) vec {
	return c.m.zip(x, t, func(x, t part) part { return c.m.xorAnd(x, t, c.sign[0]) })
}

// normals holds the constants of Box and Muller's method.
type normals struct {
	m machine
	sinCos
	unit, hi, lo, angle                    vec
	next, base, mantissa, sqrtHalf, eighth vec // integers
	ln                                     []vec
}

func (m machine) newNormals() normals {
	return normals{
		m: m, sinCos: m.newSinCos(),
		unit: m.konst(uniformUnit), hi: m.konst(-2 * ln2Hi), lo: m.konst(-2 * ln2Lo), angle: m.konst(fourthOfAngle),
		next: m.konstInt(1), base: m.konstInt(sqrtHalfBits + 24<<23), mantissa: m.konstInt(1<<23 - 1),
		sqrtHalf: m.konstInt(sqrtHalfBits), eighth: m.konstInt(1 << 29), ln: m.konsts(lnPoly),
	}
}

// uniform is ((w >> 8) + 1) * 2^-24.
func (n normals) uniform(w vec) vec { return n.m.mul(n.scaled(w), n.unit) }

// scaled is (w >> 8) + 1, 2^24 times the uniform.
func (n normals) scaled(w vec) vec {
	return n.m.do(opFromInt, n.m.op(opIAdd, n.m.shr(w, 8), n.next))
}

// radius is sqrt(-2 ln u): u = 2^e (1 + f) and ln(1 + f) = f - f^2/2 + f^3 p(f), evaluated in pairs
// (Estrin's scheme), since the chain of operations is what a group waits for.
func (n normals) radius(w vec) vec {
	m := n.m
	d := m.op(opISub, n.scaled(w), n.base)
	e := m.do(opFromInt, m.sar(d, 23))
	f := m.sub(m.op(opIAdd, m.op(opAnd, d, n.mantissa), n.sqrtHalf), n.one)
	f2 := m.mul(f, f)
	p := n.lnPoly(f, f2)
	small := m.muladd(opAccum, m.dup(f2), e, n.lo)
	small = m.muladd(opAccum, small, m.mul(f, f2), p)
	large := m.muladd(opHornerSub, e, n.hi, m.add(f, f)) // 2f and the product are exact
	return m.do(opSqrt, m.add(large, small))
}

func (n normals) lnPoly(f, f2 vec) vec {
	m := n.m
	pairs := make([]vec, len(n.ln)/2)
	for i := range pairs {
		pairs[i] = m.poly(f, n.ln[2*i+1], n.ln[2*i])
	}
	low := m.muladd(opHorner, pairs[1], f2, pairs[0])
	high := m.muladd(opHorner, pairs[3], f2, pairs[2])
	return m.muladd(opHorner, high, m.mul(f2, f2), low)
}

// boxMuller is normals from words of radii and words of angles, the cosines first.
func (n normals) boxMuller(even, odd vec) (a, b vec) {
	m := n.m
	r := n.radius(even)
	x := m.do(opFromInt, m.shl(odd, 2))
	sin, cos := n.sinCos.eval(m.mul(x, n.angle), m.op(opIAdd, odd, n.eighth))
	return m.mul(r, cos), m.mul(r, sin)
}

// noise walks through the groups of the stream, one ahead: while a group's words are turned into
// numbers, those of the next, whose chain of rounds is long, are computed beside them.
//
// With two streams, the words of each group are computed from the last stream and then from the
// first: the last one's numbers are held until the first one's are there.
type noise struct {
	m         machine
	values    func(even, odd vec) (a, b vec)
	g         gp // the next group to compute
	even, odd vec
	held      []vec // the last of two streams' numbers, by blocks
}

func (m machine) newNoise(g gp, streams int, values func(even, odd vec) (a, b vec)) *noise {
	z := &noise{m: m, values: values, g: g}
	m.philoxHigh(g)
	z.even, z.odd = m.philox(streams-1, g)
	if streams > 1 {
		z.held = []vec{m.places(), m.places()}
	}
	return z
}

// last is the place of the last stream.
func (z *noise) last() int { return min(len(z.held), 1) }

// hold turns the last stream's words into the numbers held, and computes the first one's words.
func (z *noise) hold() {
	z.beside(0, func(v vec, block int) {
		for i, x := range z.held[block] {
			z.m.assign(x, v.at(i))
		}
	})
}

// beside turns words into numbers for body, while the words of group z.g of a stream are
// computed.
func (z *noise) beside(stream int, body func(v vec, block int)) {
	rounds, finish := z.m.philoxNext(stream, z.g, z.even, z.odd)
	for i, numbers := range z.blocks(body) {
		first := func() {}
		if i < len(rounds) {
			first = rounds[i]
		}
		z.m.interleave(first, numbers)
	}
	finish()
}

// numbers are those of block number half of a group: of the first stream, then of the last.
func (z *noise) numbers(v vec, half int) []vec {
	if z.held == nil {
		return []vec{v}
	}
	return []vec{v, z.held[half]}
}

// blocks runs body for blocks of the group in even and odd. Where a block has several registers,
// half of the words make one block, and there is a stretch for each; otherwise all make both.
func (z *noise) blocks(body func(v vec, block int)) (stretches []func()) {
	n := len(z.even) / 2
	if n == 0 {
		return []func(){func() {
			a, b := z.m.halves(z.values(z.even, z.odd))
			body(a, 0)
			body(b, 1)
		}}
	}
	for i := range 2 {
		stretches = append(stretches, func() {
			a, b := z.values(z.even[i*n:(i+1)*n], z.odd[i*n:(i+1)*n])
			body(append(a, b...), i)
		})
	}
	return stretches
}

// row runs body for the blocks of a row of n elements, consuming n and leaving the streams behind
// the row. nextRow puts the first group of the next row into z.g, or jumps to the label it is given
// if there is no other row.
func (z *noise) row(n gp, streams []stream, nextRow func(none string), body func(v []vec, block int)) {
	m := z.m
	m.branch(n, equal, 0, "whole")
	m.label("group")
	if z.held != nil {
		z.hold()
	}
	m.branch(n, less, groupLen+1, "lastgroup")
	m.addImm(z.g, 1)
	m.jump("ahead")
	m.label("lastgroup")
	nextRow("final")
	m.label("ahead")
	m.philoxHigh(z.g)
	m.branch(n, less, groupLen, "partial")

	z.beside(z.last(), func(v vec, block int) { body(z.numbers(v, block), block) })
	z.step(n, streams, groupLen)
	m.branch(n, notEqual, 0, "group")
	m.jump("whole")

	m.label("partial")
	z.rest("partial", n, streams, body)
	rounds, finish := m.philoxNext(z.last(), z.g, z.even, z.odd)
	for _, r := range rounds {
		r()
	}
	finish()
	m.jump("whole")

	m.label("final")
	z.rest("final", n, streams, body)
	m.label("whole")
}

// step goes on by a number of elements.
func (z *noise) step(n gp, streams []stream, elements int) {
	for _, s := range streams {
		z.m.addImm(s.p, elements*s.size)
	}
	z.m.addImm(n, -elements)
}

// rest is the last group of a row, of at most 32 elements.
func (z *noise) rest(name string, n gp, streams []stream, body func(v []vec, block int)) {
	m := z.m
	var v [2]vec
	for _, numbers := range z.blocks(func(x vec, i int) { v[i] = x }) {
		numbers()
	}
	for i, x := range v {
		tail := fmt.Sprintf("%stail%d", name, i)
		m.branch(n, less, blockLen, tail)
		body(z.numbers(x, i), 0)
		z.step(n, streams, blockLen)
		m.branch(n, equal, 0, name+"done")
	}
	for i, x := range v {
		m.label(fmt.Sprintf("%stail%d", name, i))
		m.tail(n)
		body(z.numbers(x, i), 0)
		m.full()
		for _, s := range streams {
			m.advance(s, n)
		}
		if i == 0 {
			m.jump(name + "done")
		}
	}
	m.label(name + "done")
}

const groupLen = 2 * blockLen

const keyParams = "seed uint64, step, stream uint32"

func (m machine) noiseKernels() {
	fill := func(name, doc string, values func(n normals) func(even, odd vec) (a, b vec)) {
		m.begin(name, "func(dst []float32, first uint64, "+keyParams+")", doc)
		n := m.length("dst")
		s := m.floats("dst")
		m.philoxInit("stream")
		z := m.newNoise(m.integer("first"), 1, values(m.newNormals()))
		z.row(n, s, m.jump, func(v []vec, i int) { m.put(v[0], s[0], i) })
		m.end()
	}
	fill("Uniform", "dst = uniforms in (0, 1] from group first of the noise stream", func(n normals) func(even, odd vec) (a, b vec) {
		return func(even, odd vec) (a, b vec) { return n.uniform(even), n.uniform(odd) }
	})
	fill("Normal", "dst = normals from group first of the noise stream",
		func(n normals) func(even, odd vec) (a, b vec) { return n.boxMuller })

	m.noiseRows("NormalRows", "func(dst []float32, ids []uint64, d int, "+keyParams+")", "dst = normals of row ids[i]",
		[]string{"dst"}, func(s []stream) noisy {
			return noisy{body: func(xi []vec, i int) { m.put(xi[0], s[0], i) }}
		})

	m.noiseRows("NoiseRows", "func(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, "+keyParams+")",
		"eps = normals of row ids[i]; zl = sigma[i]*eps + (alpha[i]*z)", []string{"zl", "eps", "z"}, func(s []stream) noisy {
			alphas, sigmas := m.floats("alpha")[0], m.floats("sigma")[0]
			var alpha, sigma vec
			return noisy{
				start: func() { alpha, sigma = m.perRow(alphas), m.perRow(sigmas) },
				body: func(eps []vec, i int) {
					m.put(eps[0], s[1], i)
					m.put(m.muladd(opAccum, m.mul(m.get(s[2], i), alpha), eps[0], sigma), s[0], i)
				},
			}
		})

	m.move("Overdamped", "func(z, g, p, h []float32, ids []uint64, d int, anchor, root, heat float32, "+keyParams+") int",
		"t = anchor*z + (g + p); z = z - (s*h[i])*t + sqrt(heat*h[i])*xi", []string{"z", "g", "p"},
		func(s []stream, _, h, noise, t, xi vec, i int) {
			z := m.muladd(opAccumNeg, m.get(s[0], i), h, t)
			m.put(m.muladd(opAccum, z, noise, xi), s[0], i)
		})
	m.move("Underdamped", "func(z, u, g, p, h []float32, ids []uint64, d int, anchor, root, heat, keep float32, "+keyParams+") int",
		"t = anchor*z + (g + p); u = keep*u - (s*h[i])*t + sqrt(heat*h[i])*xi; z += u", []string{"z", "g", "p", "u"},
		func(s []stream, keep, h, noise, t, xi vec, i int) {
			u := m.muladd(opAccumNeg, m.mul(m.get(s[3], i), keep), h, t)
			u = m.muladd(opAccum, u, noise, xi)
			m.put(u, s[3], i)
			m.put(m.add(m.get(s[0], i), u), s[0], i)
		})
	m.exact()
}

// noisy is what a kernel does at the beginning of a row, and with the noise of each block, by
// streams.
type noisy struct {
	start func()
	body  func(xi []vec, block int)
	end   func() // after the last row
	other string // the parameter that names a second stream, or ""
}

// noiseRows emits a kernel over rows, of width d, with normals of their own: row i begins with
// group ids[i] * ceil(d/32). start is called once.
func (m machine) noiseRows(name, signature, doc string, arrays []string, start func(s []stream) noisy) {
	m.begin(name, signature, doc)
	rows, ids := m.counter(m.length("ids")), stream{m.base("ids"), 8}
	s := m.floats(arrays...)
	k := start(s)
	m.branch(rows, equal, 0, "none")
	keys := []string{"stream"}
	if k.other != "" {
		keys = append(keys, k.other)
	}
	m.philoxInit(keys...)
	normals := m.newNormals()
	g := m.zero()
	next := func() {
		per := m.integer("d")
		m.addImm(per, groupLen-1)
		m.shrGP(per, 5)
		m.moveGP(g, m.load64(ids.p, 0))
		m.addImm(ids.p, 8)
		m.mulGP(g, per)
	}
	next()
	z := m.newNoise(g, len(keys), normals.boxMuller)
	m.eachRow(rows, func() {
		if k.start != nil {
			k.start()
		}
		z.row(m.integer("d"), s, func(none string) {
			m.branch(rows, less, 2, none)
			next()
		}, k.body)
	})
	m.label("none")
	if k.end != nil {
		k.end()
	}
	m.end()
}

// move emits a Langevin move. The result is the number of rows whose drift was clipped.
func (m machine) move(name, signature, doc string, arrays []string, body func(s []stream, keep, h, noise, t, xi vec, i int)) {
	doc += "; xi = normals of row ids[i], s <= 1 limits |s*h[i]*t| to root if that is positive; the number of rows with s < 1"
	m.noiseRows(name, signature, doc, arrays, func(s []stream) noisy {
		hs := m.floats("h")[0]
		anchor, root, heat := m.float("anchor"), m.float("root"), m.float("heat")
		var keep vec
		if len(arrays) == 4 {
			keep = m.float("keep")
		}
		c := clip{m: m, root: root.at(0), none: m.konst(0).at(0), clipped: m.counter(m.zero())}
		drift := func(s []stream, i int) vec {
			return m.muladd(opAccum, m.add(m.get(s[1], i), m.get(s[2], i)), anchor, m.get(s[0], i))
		}
		h, noise := m.equal(), m.equal()
		return noisy{
			start: func() {
				size := m.loadScalar(hs.p, 0)
				m.addImm(hs.p, 4)
				m.assign(noise[0], m.spread(m.sqrtScalar(m.binScalar(opMul, heat.at(0), size)))[0])
				c.row(size, s[:3], drift)
				m.assign(h[0], m.spread(size)[0])
			},
			body: func(xi []vec, i int) { body(s, keep, h, noise, drift(s, i), xi[0], i) },
			end:  func() { m.resultInt(c.clipped) },
		}
	})
}

// clip limits the drift of rows to the length root, if that is positive.
type clip struct {
	m          machine
	root, none part // none is zero
	clipped    gp   // the number of rows clipped
}

// row multiplies the step size, a scalar, by root/|v| if v = size*drift is longer than root.
func (c clip) row(size part, s []stream, drift func(s []stream, i int) vec) {
	m := c.m
	m.branchGreater(c.root, c.none, "clip")
	m.jump("free")
	m.label("clip")
	h := m.spread(size)
	norm := m.norm(s, func(row []stream, i int) vec { return m.mul(drift(row, i), h) })
	m.branchGreater(norm, m.binScalar(opMul, c.root, c.root), "cut")
	m.jump("free")
	m.label("cut")
	m.addImm(c.clipped, 1)
	m.intoScalar(opMul, size, m.binScalar(opDiv, c.root, m.sqrtScalar(norm)))
	m.label("free")
}

// exact emits the exact transition. Its clip is decided in float64.
func (m machine) exact() {
	m.noiseRows("Exact", "func(z, u, g, p, h []float32, ids []uint64, d int, anchor float32, longest float64, "+
		"keep, mean, drift, heat, rest float32, "+keyParams+", other uint32) int",
		"t = p + (g + anchor*z); y = t*s; w = rest*xi2 + (mean*u + (drift*y)); u = heat*xi1 + (keep*u - y); "+
			"z += (mean*u + w)*sqrt(h[i]); xi1, xi2 = normals of row ids[i] of stream and other; s = sqrt(h[i]), or "+
			"sqrt(h[i])*(longest/(h[i]*|t|)) in float64 if that is less and longest is positive; "+
			"the number of rows where it is",
		[]string{"z", "g", "p", "u"}, func(s []stream) noisy {
			hs, anchor := m.floats("h")[0], m.float("anchor")
			keep, mean, drift := m.float("keep"), m.float("mean"), m.float("drift")
			heat, rest := m.float("heat"), m.float("rest")
			clipped := m.counter(m.zero())
			force := func(s []stream, i int) vec {
				return m.add(m.get(s[2], i), m.add(m.get(s[1], i), m.mul(m.get(s[0], i), anchor)))
			}
			slow, root := m.equal(), m.equal() // s and sqrt(h[i])
			return noisy{
				other: "other",
				start: func() {
					m.exactSteps(hs, root, slow, clipped, func() part { return m.norm(s[:3], force) })
				},
				body: func(xi []vec, i int) {
					y, u := m.mul(force(s, i), slow), m.get(s[3], i)
					w := m.muladd(opHorner, m.dup(u), mean, m.mul(y, drift))
					w = m.muladd(opAccum, w, xi[1], rest)
					u = m.muladd(opAccum, m.muladd(opHornerSub, u, keep, y), xi[0], heat)
					m.put(u, s[3], i)
					w = m.mul(m.muladd(opAccum, w, u, mean), root)
					m.put(m.add(m.get(s[0], i), w), s[0], i)
				},
				end: func() { m.resultInt(clipped) },
			}
		})
}

// exactSteps sets, for the row at h, root to sqrt(h) and slow to what multiplies the drift, whose
// squared length is norm.
func (m machine) exactSteps(h stream, root, slow vec, clipped gp, norm func() part) {
	size := m.loadScalar(h.p, 0)
	m.addImm(h.p, 4)
	step := m.spread(m.sqrtScalar(size))[0]
	m.assign(root[0], step)
	m.assign(slow[0], step)
	longest := m.double("longest")
	m.branchGreaterDouble(longest, m.widen(m.konst(0).at(0)), "clip")
	m.jump("free")
	m.label("clip")
	wide := m.widen(size)
	length := m.binDouble(opMul, wide, m.sqrtDouble(m.widen(norm())))
	m.branchGreaterDouble(length, longest, "cut")
	m.jump("free")
	m.label("cut")
	m.addImm(clipped, 1)
	factor := m.binDouble(opMul, m.sqrtDouble(wide), m.binDouble(opDiv, longest, length))
	m.assign(slow[0], m.spread(m.narrow(factor))[0])
	m.label("free")
}

// norm is the square of the length of the row of v that begins where the streams are.
func (m machine) norm(s []stream, v func(row []stream, i int) vec) part {
	sum := m.zeros()
	var row []stream
	for _, x := range s {
		row = append(row, m.restart(x))
	}
	m.span("drift", m.integer("d"), 1, row, func(i int) {
		x := m.inTail(v(row, i))
		m.muladd(opAccum, sum, x, x)
	})
	return m.fold(sum)
}
