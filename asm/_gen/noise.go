package main

import "math"

const (
	uniformUnit  = 0x1p-24
	sqrtHalfBits = 0x3f3504f3            // of sqrt(1/2)
	ln2Hi        = 0x1.62e4p-1           // leading bits of ln 2: a small integer times it is exact
	ln2Lo        = 0x1.7f7d1cf79abcap-20 // ln 2 - ln2Hi
	halfTurn     = math.Pi * 0x1p-31     // radians in a unit of the angle words
)

// Polynomials of trainer/ALGORITHM.md section 9, highest power first.
var (
	lnPoly = []float32{
		-0x1.38b582p-4, 0x1.055b6cp-3, -0x1.0d8542p-3, 0x1.22da1cp-3,
		-0x1.547244p-3, 0x1.99a008p-3, -0x1.000226p-2, 0x1.555554p-2,
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
	m         machine
	sin, cos  []vec
	half, one vec // -1/2, 1
	two       vec // integers
	unit      vec
}

func (m machine) newSinCos() sinCos {
	return sinCos{
		m: m, sin: m.konsts(sinPoly), cos: m.konsts(cosPoly),
		half: m.konst(-0.5), one: m.konst(1), two: m.konstInt(2), unit: m.konstInt(1),
	}
}

// eval is the sine and cosine of x plus the quarter turns in the low bits of q.
func (c sinCos) eval(x, q vec) (sin, cos vec) {
	m := c.m
	z := m.mul(x, x)
	s := m.poly(z, c.sin...)
	s = m.muladd(opAccum, m.dup(x), m.mul(z, x), s)
	p := m.poly(z, c.cos...)
	k := m.muladd(opHorner, m.dup(z), c.half, c.one)
	k = m.muladd(opAccum, k, m.mul(z, z), p)
	sin, cos = m.pick(q, k, s), m.pick(q, s, k)
	sin = m.op(opXor, sin, m.shl(m.op(opAnd, q, c.two), 30))
	cos = m.op(opXor, cos, m.shl(m.op(opAnd, m.op(opIAdd, q, c.unit), c.two), 30))
	return sin, cos
}

// normals holds the constants of Box and Muller's method.
type normals struct {
	m machine
	sinCos
	unit, sqrtHalf, hi, lo, minusTwo vec
	halfTurn, eighth                 vec
	ln                               []vec
}

func (m machine) newNormals() normals {
	return normals{
		m: m, sinCos: m.newSinCos(),
		unit: m.konst(uniformUnit), sqrtHalf: m.konstInt(sqrtHalfBits), hi: m.konst(ln2Hi), lo: m.konst(ln2Lo),
		minusTwo: m.konst(-2), halfTurn: m.konst(halfTurn), eighth: m.konstInt(1 << 29), ln: m.konsts(lnPoly),
	}
}

// uniform is ((w >> 8) + 1) * 2^-24.
func (n normals) uniform(w vec) vec {
	m := n.m
	w = m.op(opIAdd, m.shr(w, 8), n.sinCos.unit)
	return m.mul(m.do(opFromInt, w), n.unit)
}

// radius is sqrt(-2 ln u): u = 2^e (1 + f) and ln(1 + f) = f - f^2/2 + f^3 p(f).
func (n normals) radius(w vec) vec {
	m := n.m
	u := n.uniform(w)
	e := m.sar(m.op(opISub, u, n.sqrtHalf), 23)
	f := m.sub(m.op(opISub, u, m.shl(e, 23)), n.one)
	e = m.do(opFromInt, e)
	p := m.poly(f, n.ln...)
	f2 := m.mul(f, f)
	y := m.mul(m.mul(f, f2), p)
	y = m.muladd(opAccum, y, e, n.lo)
	y = m.muladd(opAccum, y, f2, n.half)
	y = m.add(f, y)
	y = m.muladd(opAccum, y, e, n.hi)
	return m.do(opSqrt, m.mul(y, n.minusTwo))
}

// group is the 32 normals of group g.
func (n normals) group(g gp) [2]vec {
	m := n.m
	even, odd := m.philox(g)
	r := n.radius(even)
	q := m.shr(m.op(opIAdd, odd, n.eighth), 30)
	x := m.do(opFromInt, m.op(opISub, odd, m.shl(q, 30)))
	sin, cos := n.sinCos.eval(m.mul(x, n.halfTurn), q)
	a, b := m.halves(m.mul(r, cos), m.mul(r, sin))
	return [2]vec{a, b}
}

// groups runs body for both blocks of every group of a row of n elements, beginning with group
// g; it consumes both, and leaves the streams behind the row.
func (m machine) groups(n, g gp, streams []stream, values func(g gp) [2]vec, body func(v vec, block int)) {
	advance := func(blocks int) {
		for _, s := range streams {
			m.addImm(s.p, blocks*blockLen*s.size)
		}
		m.addImm(n, -blocks*blockLen)
	}
	m.branch(n, less, 2*blockLen, "part")
	m.label("groups")
	v := values(g)
	for i := range v {
		body(v[i], i)
	}
	advance(2)
	m.addImm(g, 1)
	m.branch(n, greaterEqual, 2*blockLen, "groups")
	m.label("part")
	m.branch(n, equal, 0, "whole")
	v = values(g)
	m.branch(n, less, blockLen, "first")
	body(v[0], 0)
	advance(1)
	m.branch(n, equal, 0, "whole")
	m.tail(n)
	body(v[1], 0)
	m.jump("tailed")
	m.label("first")
	m.tail(n)
	body(v[0], 0)
	m.label("tailed")
	m.full()
	for _, s := range streams {
		m.advance(s, n)
	}
	m.label("whole")
}

const keyParams = "seed uint64, step, stream uint32"

func (m machine) noiseKernels() {
	fill := func(name, doc string, values func(n normals) func(g gp) [2]vec) {
		m.begin(name, "func(dst []float32, first uint64, "+keyParams+")", doc)
		n := m.length("dst")
		s := m.floats("dst")
		g := m.integer("first")
		m.philoxInit()
		m.groups(n, g, s, values(m.newNormals()), func(v vec, i int) { m.put(v, s[0], i) })
		m.end()
	}
	fill("Uniform", "dst = uniforms in (0, 1] from group first of the noise stream", func(n normals) func(g gp) [2]vec {
		return func(g gp) [2]vec {
			even, odd := m.philox(g)
			a, b := m.halves(n.uniform(even), n.uniform(odd))
			return [2]vec{a, b}
		}
	})
	fill("Normal", "dst = normals from group first of the noise stream", func(n normals) func(g gp) [2]vec { return n.group })

	m.begin("NoiseRows", "func(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, "+keyParams+")",
		"eps = normals of row ids[i]; zl = sigma[i]*eps + (alpha[i]*z)")
	rows, d, ids := m.length("ids"), m.integer("d"), stream{m.base("ids"), 8}
	s := m.floats("zl", "eps", "z")
	alphas, sigmas := m.floats("alpha")[0], m.floats("sigma")[0]
	m.philoxInit()
	n := m.newNormals()
	m.eachRow(rows, func() {
		alpha, sigma := m.perRow(alphas), m.perRow(sigmas)
		m.groups(m.copyGP(d), m.firstGroup(ids, d), s, n.group, func(v vec, i int) {
			m.put(v, s[1], i)
			m.put(m.muladd(opAccum, m.mul(m.get(s[2], i), alpha), v, sigma), s[0], i)
		})
	})
	m.end()

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
}

// firstGroup is where the noise of the next row begins: ids[i] * ceil(d/32).
func (m machine) firstGroup(ids stream, d gp) gp {
	g, per := m.load64(ids.p, 0), m.copyGP(d)
	m.addImm(ids.p, 8)
	m.addImm(per, 31)
	m.shrGP(per, 5)
	m.mulGP(g, per)
	return g
}

// move emits a Langevin move. Each row first finds the factor s that clips its drift: with v = h*t
// and |v| at most root where root is positive, s = root/|v|. The result is the number of rows clipped.
func (m machine) move(name, signature, doc string, arrays []string, body func(s []stream, keep, h, noise, t, xi vec, i int)) {
	m.begin(name, signature, doc+"; xi = normals of row ids[i], s <= 1 limits |s*h[i]*t| to root if that is positive; the number of rows with s < 1")
	rows, d, ids := m.length("ids"), m.integer("d"), stream{m.base("ids"), 8}
	s := m.floats(arrays...)
	hs := m.floats("h")[0]
	anchor, root, heat := m.float("anchor"), m.float("root"), m.float("heat")
	var keep vec
	if len(arrays) == 4 {
		keep = m.float("keep")
	}
	limit := m.binScalar(opMul, root.at(0), root.at(0))
	none := m.konst(0)
	m.philoxInit()
	normals := m.newNormals()
	clipped := m.zero()
	drift := func(i int) vec {
		return m.muladd(opAccum, m.add(m.get(s[1], i), m.get(s[2], i)), anchor, m.get(s[0], i))
	}
	m.eachRow(rows, func() {
		size := m.loadScalar(hs.p, 0)
		m.addImm(hs.p, 4)
		noise := m.spread(m.sqrtScalar(m.binScalar(opMul, heat.at(0), size)))
		m.branchGreater(root.at(0), none.at(0), "clip")
		m.jump("free")
		m.label("clip")
		h, sum := m.spread(size), m.zeros()
		n := m.copyGP(d)
		m.span("drift", n, 1, s[:3], func(i int) {
			v := m.mul(drift(i), h)
			m.muladd(opAccum, sum, v, v)
		})
		for _, x := range s[:3] {
			m.subScaled(x.p, d, x.size)
		}
		norm := m.fold(sum)
		m.branchGreater(norm, limit, "cut")
		m.jump("free")
		m.label("cut")
		m.addImm(clipped, 1)
		m.intoScalar(opMul, size, m.binScalar(opDiv, root.at(0), m.sqrtScalar(norm)))
		m.label("free")
		h = m.spread(size)
		m.groups(m.copyGP(d), m.firstGroup(ids, d), s, normals.group, func(xi vec, i int) {
			body(s, keep, h, noise, drift(i), xi, i)
		})
	})
	m.resultInt(clipped)
	m.end()
}
