package main

// moves emits the Langevin moves.
func (m machine) moves() {
	m.move(
		"Overdamped",
		"func(z, g, p, h []float32, ids []uint64, d int, anchor, root, heat float32, "+
			keyParams+") int",
		"t = anchor*z + (g + p); z = z - (s*h[i])*t + sqrt(heat*h[i])*xi", []string{"z", "g", "p"},
		func(s []stream, _, h, noise, t, xi vec, i int) {
			z := m.muladd(opAccumNeg, m.get(s[0], i), h, t)
			m.put(m.muladd(opAccum, z, noise, xi), s[0], i)
		},
	)
	m.move(
		"Underdamped",
		"func(z, u, g, p, h []float32, ids []uint64, d int, anchor, root, heat, keep float32, "+
			keyParams+") int",
		"t = anchor*z + (g + p); u = keep*u - (s*h[i])*t + sqrt(heat*h[i])*xi; z += u",
		[]string{"z", "g", "p", "u"},
		func(s []stream, keep, h, noise, t, xi vec, i int) {
			u := m.muladd(opAccumNeg, m.mul(m.get(s[3], i), keep), h, t)
			u = m.muladd(opAccum, u, noise, xi)
			m.put(u, s[3], i)
			m.put(m.add(m.get(s[0], i), u), s[0], i)
		},
	)
	m.exact()
}

// move emits a Langevin move. The result is the number of rows whose drift was clipped.
func (m machine) move(
	name, signature, doc string, arrays []string,
	body func(s []stream, keep, h, noise, t, xi vec, i int),
) {
	doc += "; xi = normals of row ids[i], s <= 1 limits |s*h[i]*t| to root if that is positive; " +
		"the number of rows with s < 1"
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
	m.noiseRows(
		"Exact",
		"func(z, u, g, p, h []float32, ids []uint64, d int, anchor float32, longest float64, "+
			"keep, mean, drift, heat, rest float32, "+keyParams+", other uint32) int",
		"t = p + (g + anchor*z); y = t*s; w = rest*xi2 + (mean*u + (drift*y)); "+
			"u = heat*xi1 + (keep*u - y); z += (mean*u + w)*sqrt(h[i]); "+
			"xi1, xi2 = normals of row ids[i] of stream and other; s = sqrt(h[i]), or "+
			"sqrt(h[i])*(longest/(h[i]*|t|)) in float64 if that is less and longest is positive; "+
			"the number of rows where it is",
		[]string{"z", "g", "p", "u"},
		func(s []stream) noisy {
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
					m.exactSteps(
						hs, root, slow, clipped, func() part { return m.norm(s[:3], force) },
					)
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
		},
	)
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
