package main

import "fmt"

// products are the tiles of matrix products: as many accumulators as the registers hold, so that
// each number read from memory enters several multiply-adds.
func (m machine) products() {
	rows, blocks := m.tile()
	m.begin("MulTile", "func(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs int, b []float32, rows, n int)",
		fmt.Sprintf("c[i*ldc+j] = start[i*lds+j], then += a[i*rs+k*cs]*b[k*%[1]d+j] for k < n in order, each rounded once; i < rows <= %[2]d, j < %[1]d",
			blocks*blockLen, rows))
	for r := rows; r > 1; r-- {
		m.branch(m.integer("rows"), less, r, fmt.Sprintf("under%d", r))
		m.mulTile(r, blocks)
		m.jump("done")
		m.label(fmt.Sprintf("under%d", r))
	}
	m.branch(m.integer("rows"), less, 1, "done")
	m.mulTile(1, blocks)
	m.label("done")
	m.end()
}

// bytes is n float32 in bytes.
func (m machine) bytesOf(param string) gp {
	n := m.zero()
	m.addScaled(n, m.integer(param), 4)
	return n
}

// ahead is how many bytes of b are asked for before they are used: CPUs stop reading ahead at the end of a
// page.
const ahead = 2048

// eachTileRow runs f with the address of every row of an argument, stride numbers apart.
func (m machine) eachTileRow(rows int, base, stride string, f func(i int, p gp)) {
	p, step := m.base(base), m.bytesOf(stride)
	for i := range rows {
		f(i, p)
		if i < rows-1 {
			m.addScaled(p, step, 1)
		}
	}
}

// mulTile is the tile for a number of rows. The lines of c that it will write at the end are asked for
// at the beginning.
func (m machine) mulTile(rows, blocks int) {
	acc := make([][]vec, rows)
	m.eachTileRow(rows, "start", "lds", func(i int, p gp) {
		for j := range blocks {
			acc[i] = append(acc[i], m.load(p, 4*blockLen*j))
		}
	})
	m.eachTileRow(rows, "c", "ldc", func(_ int, p gp) {
		for j := range blocks {
			m.prefetch(p, 4*blockLen*j)
		}
	})
	m.mulLoop(acc, blocks)
	m.eachTileRow(rows, "c", "ldc", func(i int, p gp) {
		for j := range blocks {
			m.store(acc[i][j], p, 4*blockLen*j)
		}
	})
}

// mulLoop adds the products to the accumulators, one k after the other.
func (m machine) mulLoop(acc [][]vec, blocks int) {
	b, left := m.base("b"), m.integer("n")
	a := m.column(m.base("a"), m.bytesOf("rs"), m.bytesOf("cs"), len(acc))
	loop, end := fmt.Sprintf("mul%d", len(acc)), fmt.Sprintf("mul%dend", len(acc))
	m.branch(left, less, 1, end)
	m.label(loop)
	var bs []vec
	for j := range blocks {
		bs = append(bs, m.load(b, 4*blockLen*j))
		m.prefetch(b, ahead+4*blockLen*j)
	}
	for i := range acc {
		x := m.entry(a, i)
		for j := range acc[i] {
			m.muladd(opAccum, acc[i][j], x, bs[j])
		}
	}
	m.next(a)
	m.addImm(b, 4*blockLen*blocks)
	m.addImm(left, -1)
	m.branch(left, notEqual, 0, loop)
	m.label(end)
}

// rowsAhead is how many rows before its turn a row to be packed is asked for.
const rowsAhead = 8

// packing lays the factors of products out as their tiles read them.
func (m machine) packing() {
	m.begin("PackRows", "func(dst []float32, width int, src []float32, ld, cols, rows int, alpha float32)",
		"dst[i*width+j] = alpha*src[i*ld+j] for i < rows, j < cols")
	to, from := stream{m.base("dst"), 4}, stream{m.base("src"), 4}
	width, ld, alpha := m.integer("width"), m.integer("ld"), m.float("alpha")
	soon := m.copyGP(from.p) // a row to be packed after some others
	m.addScaled(soon, m.bytesOf("ld"), rowsAhead)
	m.eachRow(m.integer("rows"), func() {
		m.prefetch(soon, 0)
		m.prefetch(soon, 4*blockLen)
		m.advance(stream{soon, 4}, ld)
		s := []stream{m.restart(to), m.restart(from)}
		m.span("n", m.integer("cols"), 2, s, func(i int) { m.put(m.mul(m.get(s[1], i), alpha), s[0], i) })
		m.advance(to, width)
		m.advance(from, ld)
	})
	m.end()

	m.begin("Turn", "func(dst []float32, width int, src []float32, ld, n int)",
		fmt.Sprintf("dst[k*width+j] = src[j*ld+k] for k < n, a multiple of 4, and j < %d", blockLen))
	left := m.integer("n")
	m.branch(left, less, 4, "done")
	step := m.zero()
	m.addImm(step, 16)
	to = stream{m.base("dst"), 4}
	width = m.integer("width")
	rows := m.column(m.base("src"), m.bytesOf("ld"), step, blockLen)
	m.label("loop")
	for _, block := range m.turned(rows) {
		m.put(block, to, 0)
		m.advance(to, width)
	}
	m.next(rows)
	m.addImm(left, -4)
	m.branch(left, greaterEqual, 4, "loop")
	m.label("done")
	m.end()
}

// peakRegisters is how many multiply-adds are under way at once: more than any CPU's latency times its
// units.
const peakRegisters = 12

// peak does nothing but multiply-adds.
func (m machine) peak() {
	m.begin("Peak", "func(n int)", fmt.Sprintf("n times %d multiply-adds of whole registers, independent of each other", peakRegisters))
	n := m.integer("n")
	x := m.block(m.konst(0.5))[:1]
	var acc vec
	for range peakRegisters {
		acc = append(acc, m.copyPart(x[0]))
	}
	m.branch(n, less, 1, "done")
	m.label("loop")
	m.muladd(opAccum, acc, x, x)
	m.addImm(n, -1)
	m.branch(n, notEqual, 0, "loop")
	m.label("done")
	m.end()
}
