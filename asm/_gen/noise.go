package main

import (
	"fmt"
)

// noise goes through the groups of a stream. While the words of one group become numbers, it
// already computes the words of the next, since their rounds are a long chain of operations.
//
// With two streams, each group takes its words first from the second stream, whose numbers are
// held, and then from the first.
type noise struct {
	m         machine
	values    func(even, odd vec) (a, b vec)
	g         gp // the next group to compute
	even, odd vec
	held      []vec // the second stream's numbers, by blocks; nil: there is one stream
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

// last is the number of the last stream.
func (z *noise) last() int { return min(len(z.held), 1) }

// hold makes the numbers held from the second stream's words, and computes the first one's words.
func (z *noise) hold() {
	z.beside(0, func(v vec, block int) {
		for i, x := range z.held[block] {
			z.m.assign(x, v.at(i))
		}
	})
}

// beside makes numbers from words and passes them to body, while it computes the words of group z.g
// of a stream.
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

// numbers are those of a half of a group, a block: of the first stream, and of the second if there
// is one.
func (z *noise) numbers(v vec, half int) []vec {
	if z.held == nil {
		return []vec{v}
	}
	return []vec{v, z.held[half]}
}

// blocks calls body with the blocks of the group in even and odd. Where a block has several
// registers, each half of the words makes a block, in a stretch of its own; otherwise all words
// make both.
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
func (z *noise) row(
	n gp, streams []stream, nextRow func(none string), body func(v []vec, block int),
) {
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

// step moves on by a number of elements.
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
	fill(
		"Uniform", "dst = uniforms in (0, 1] from group first of the noise stream",
		func(n normals) func(even, odd vec) (a, b vec) {
			return func(even, odd vec) (a, b vec) { return n.uniform(even), n.uniform(odd) }
		},
	)
	fill("Normal", "dst = normals from group first of the noise stream",
		func(n normals) func(even, odd vec) (a, b vec) { return n.boxMuller })

	m.noiseRows(
		"NormalRows", "func(dst []float32, ids []uint64, d int, "+keyParams+")",
		"dst = normals of row ids[i]", []string{"dst"},
		func(s []stream) noisy {
			return noisy{body: func(xi []vec, i int) { m.put(xi[0], s[0], i) }}
		},
	)

	m.noiseRows(
		"NoiseRows", "func(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, "+keyParams+")",
		"eps = normals of row ids[i]; zl = sigma[i]*eps + (alpha[i]*z)", []string{"zl", "eps", "z"},
		func(s []stream) noisy {
			alphas, sigmas := m.floats("alpha")[0], m.floats("sigma")[0]
			var alpha, sigma vec
			return noisy{
				start: func() { alpha, sigma = m.perRow(alphas), m.perRow(sigmas) },
				body: func(eps []vec, i int) {
					m.put(eps[0], s[1], i)
					m.put(m.muladd(opAccum, m.mul(m.get(s[2], i), alpha), eps[0], sigma), s[0], i)
				},
			}
		},
	)

	m.moves()
}

// noisy is what a kernel does at the beginning of a row, and with each block of noise, one vec for
// each stream.
type noisy struct {
	start func()
	body  func(xi []vec, block int)
	end   func() // after the last row
	other string // the parameter that names a second stream, or ""
}

// noiseRows emits a kernel over rows, of width d, with normals of their own: row i begins with
// group ids[i] * ceil(d/32). start is called once, and prepares what lives throughout.
func (m machine) noiseRows(
	name, signature, doc string, arrays []string, start func(s []stream) noisy,
) {
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
