package main

import "math"

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
		m:       m,
		sin:     m.konsts(sinPoly),
		cos:     m.konsts(cosPoly),
		half:    m.konst(-0.5),
		one:     m.konst(1),
		sign:    m.konstInt(1 << 31),
		quarter: m.konstInt(1 << 30),
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
		m:        m,
		sinCos:   m.newSinCos(),
		unit:     m.konst(uniformUnit),
		hi:       m.konst(-2 * ln2Hi),
		lo:       m.konst(-2 * ln2Lo),
		angle:    m.konst(fourthOfAngle),
		next:     m.konstInt(1),
		base:     m.konstInt(sqrtHalfBits + 24<<23),
		mantissa: m.konstInt(1<<23 - 1),
		sqrtHalf: m.konstInt(sqrtHalfBits),
		eighth:   m.konstInt(1 << 29),
		ln:       m.konsts(lnPoly),
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
