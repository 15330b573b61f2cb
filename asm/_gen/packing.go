package main

import "fmt"

// rowsAhead is how many rows ahead the packing prefetches.
const rowsAhead = 8

// strips emits a kernel that makes rows of cols numbers of others: each gets them times alpha, and
// prepare is called before the loop.
func (m machine) strips(name, doc string, prepare func(), each func(v vec) vec) {
	m.begin(
		name, "func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)",
		doc+" for i < rows, j < cols",
	)
	to, from := stream{m.base("dst"), 4}, stream{m.base("src"), 4}
	ldd, lds, alpha := m.integer("ldd"), m.integer("lds"), m.float("alpha")
	prepare()
	soon := m.copyGP(from.p) // the row rowsAhead rows on
	m.addScaled(soon, m.bytesOf("lds"), rowsAhead)
	m.eachRow(m.integer("rows"), func() {
		m.prefetch(soon, 0)
		m.prefetch(soon, 4*blockLen)
		m.advance(stream{soon, 4}, lds)
		s := []stream{m.restart(to), m.restart(from)}
		m.span("n", m.integer("cols"), 2, s, func(i int) {
			m.put(each(m.mul(m.get(s[1], i), alpha)), s[0], i)
		})
		m.advance(to, ldd)
		m.advance(from, lds)
	})
	m.end()
}

// packing emits the kernels that lay factors out in the order in which tiles read them.
func (m machine) packing() {
	m.strips(
		"PackRows", "dst[i*ldd+j] = alpha*src[i*lds+j]", func() {},
		func(v vec) vec { return v },
	)

	m.begin(
		"Transpose",
		"func(dst []float32, width int, src []float32, ld, n int)",
		fmt.Sprintf(
			"dst[k*width+j] = src[j*ld+k] for k < n, a multiple of 4, and j < %d", blockLen,
		),
	)
	left := m.integer("n")
	m.branch(left, less, 4, "done")
	step := m.zero()
	m.addImm(step, 16)
	to := stream{m.base("dst"), 4}
	width := m.integer("width")
	rows := m.column(m.base("src"), m.bytesOf("ld"), step, blockLen)
	m.label("loop")
	for _, block := range m.transposed(rows) {
		m.put(block, to, 0)
		m.advance(to, width)
	}
	m.next(rows)
	m.addImm(left, -4)
	m.branch(left, greaterEqual, 4, "loop")
	m.label("done")
	m.end()
}
