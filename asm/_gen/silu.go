package main

import "math"

// Constants of the exponential: exp(-x) = 2^(n/8) 2^(r/8) with n = round(-8 x / ln 2), the first
// factor from a table of eight and an exponent, the second a minimax polynomial.
const (
	siluLimit   = 87 // where exp(-x) and 1/exp(-x) are still normal numbers
	perOctave   = -0x1.715476p+3
	perOctaveLo = -0x1.4ae0cp-23 // -8/ln 2 - perOctave
	roundMagic  = 0x1.8p23       // adding it rounds to an integer, kept in the low bits
)

var expPoly = []float32{0x1.c690dep-14, 0x1.ec0c22p-9, 0x1.62e432p-4, 1}

// expTable has the bits of 2^(j/8) minus j<<20, which the shifted n adds back.
func expTable() (t [8]uint32) {
	for j := range t {
		t[j] = math.Float32bits(float32(math.Exp2(float64(j)/8))) - uint32(j)<<20
	}
	return t
}

// exponential holds the constants of exp(-w) for |w| <= siluLimit.
type exponential struct {
	m                     machine
	scale, scaleLo, magic vec
	poly                  []vec
	table                 part
}

func (m machine) newExponential() exponential {
	x := exponential{
		m:       m,
		scale:   m.konst(perOctave),
		scaleLo: m.konst(perOctaveLo),
		magic:   m.konst(roundMagic),
		table:   m.table(expTable()),
	}
	for _, c := range expPoly {
		x.poly = append(x.poly, m.konst(c))
	}
	return x
}

// eval is exp(-w) as a product.
func (x exponential) eval(w vec) (p, e vec) {
	m := x.m
	t := m.muladd(opHorner, m.dup(w), x.scale, x.magic)
	n := m.sub(t, x.magic)
	r := m.muladd(opHornerSub, m.dup(w), x.scale, n)
	r = m.muladd(opAccum, r, w, x.scaleLo)
	p = m.poly(r, x.poly...)
	e = m.op(opIAdd, m.each(t, func(t part) part { return m.lookup(x.table, t) }), m.shl(t, 20))
	return p, e
}

// silu holds the constants of one kernel.
type silu struct {
	m                    machine
	one, limit, negLimit vec
	exp                  exponential
}

func (m machine) newSiLU() silu {
	return silu{
		m:        m,
		one:      m.konst(1),
		limit:    m.konst(siluLimit),
		negLimit: m.konst(-siluLimit),
		exp:      m.newExponential(),
	}
}

// eval is silu(x) and its derivative: with w = x clamped, e = exp(-w) and s = 1/(1 + e), they are
// max(x, -87) s and s (1 + w (e s)), where e s is 1 - s without cancellation.
func (s silu) eval(x vec) (y, d vec) {
	m := s.m
	x = m.op(opMax, s.negLimit, x)
	w := m.op(opMin, s.limit, x)
	p, e := s.exp.eval(w)
	sig := m.muladd(opHorner, m.dup(p), e, s.one)
	sig = m.div(s.one, sig)
	q := m.mul(m.mul(p, e), sig)
	y = m.mul(x, sig)
	d = m.mul(sig, m.muladd(opHorner, q, w, s.one))
	return y, d
}

func (m machine) activations() {
	m.siluForward()
	m.siluBackward()
}

func (m machine) siluForward() {
	m.byColumns(
		"AffineSiLU", "func(y, s, x, a, b []float32)",
		"t = fma(x[i,j], a[j], b[j]); y = silu(t); s = silu'(t)",
		[]string{"y", "s", "x"}, []string{"a", "b"},
		func(s, c []stream) func(int) {
			f := m.newSiLU()
			return func(i int) {
				t := m.muladd(opHorner, m.get(s[2], i), m.get(c[0], i), m.get(c[1], i))
				y, d := f.eval(t)
				m.put(y, s[0], i)
				m.put(d, s[1], i)
			}
		},
	)
	m.curve(
		"SiLU", "func(y, x []float32)", "t = x; y = silu(t); x = silu'(t)", []string{"y", "x"},
		func(s []stream) func(int) {
			f := m.newSiLU()
			return func(i int) {
				y, d := f.eval(m.get(s[1], i))
				m.put(y, s[0], i)
				m.put(d, s[1], i)
			}
		},
	)
	m.curve(
		"SumSiLU", "func(y, s, h, e []float32)", "t = h + e; y = silu(t); s = silu'(t)",
		[]string{"y", "s", "h", "e"},
		func(s []stream) func(int) {
			f := m.newSiLU()
			return func(i int) {
				y, d := f.eval(m.add(m.get(s[2], i), m.get(s[3], i)))
				m.put(y, s[0], i)
				m.put(d, s[1], i)
			}
		},
	)
}

func (m machine) siluBackward() {
	m.elementwise(
		"SiLUBackward", "func(dx, s, dy []float32)", "dx = s*dy", 4, []string{"dx", "s", "dy"},
		func(s []stream) func(int) {
			return func(i int) { m.put(m.mul(m.get(s[1], i), m.get(s[2], i)), s[0], i) }
		},
	)
	m.elementwise(
		"SiLUBackwardAdd", "func(dx, s, dy []float32)", "dx = fma(s, dy, dx)", 4,
		[]string{"dx", "s", "dy"},
		func(s []stream) func(int) {
			return func(i int) {
				dx := m.get(s[0], i)
				m.put(m.muladd(opAccum, dx, m.get(s[1], i), m.get(s[2], i)), s[0], i)
			}
		},
	)
}
