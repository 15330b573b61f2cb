package main

import "slices"

// byColumns emits a kernel over the rows of arrays as wide as its vectors of columns, which have
// one number for each: body gets the streams of both. The first array gives the number of elements.
func (m machine) byColumns(
	name, signature, doc string, arrays, columns []string,
	body func(s, c []stream) func(block int),
) {
	m.begin(name, signature, doc)
	d, left := m.length(columns[0]), m.length(arrays[0])
	s, c := m.floats(arrays...), m.floats(columns...)
	width := m.zero() // in bytes, which takes the vectors back to their start
	m.addScaled(width, d, 4)
	step := body(s, c)
	m.branch(left, equal, 0, "rowsdone")
	m.label("rows")
	n := m.copyGP(d)
	m.mixed("n", n, slices.Concat(c, s), step)
	for _, v := range c {
		m.subFrom(v.p, width)
	}
	m.subFrom(left, d)
	m.branch(left, notEqual, 0, "rows")
	m.label("rowsdone")
	m.end()
}

// sums is a kernel of sums down columns.
type sums struct {
	dst     stream   // the sums
	vectors []stream // of one number for each column
	arrays  []stream // of rows
	unrolls []int    // how many blocks of columns are summed at a time
	// strip reads what it needs of so many blocks of the vectors, and returns what is done with
	// each row of the arrays at its place in rows: block i of it is added to acc.
	strip func(blocks int) func(acc vec, rows []stream, i int)
}

// down emits the body of such a kernel, over n columns of rows that are stride numbers apart.
func (m machine) down(n, stride, rows gp, k sums) {
	m.branch(rows, equal, 0, "none")
	streams := slices.Concat([]stream{k.dst}, k.vectors, k.arrays)
	m.spans("n", n, k.unrolls, streams, func(blocks int) {
		loop, left := m.fresh("down"), m.copyGP(rows)
		var at []stream
		for _, s := range k.arrays {
			at = append(at, m.restart(s))
		}
		acc := make([]vec, blocks)
		for i := range acc {
			acc[i] = m.get(k.dst, i)
		}
		add := k.strip(blocks)
		m.label(loop)
		for i := range acc {
			add(acc[i], at, i)
		}
		for _, s := range at {
			m.advance(s, stride)
		}
		m.addImm(left, -1)
		m.branch(left, notEqual, 0, loop)
		for i := range acc {
			m.put(acc[i], k.dst, i)
		}
	})
	m.label("none")
}

func (m machine) columnKernels() {
	m.addRows()
	m.colDot()
	m.colSquares()
	m.affine()
	m.affineGrad("AffineGrad", "", false)
	m.affineGrad("AffineGradAdd", "dx + ", true)
}

func (m machine) addRows() {
	m.begin(
		"AddRows", "func(dst, x []float32, stride, rows int)",
		"dst[j] += x[i*stride+j] for every row i in order",
	)
	n := m.length("dst")
	s := m.floats("dst", "x")
	m.down(n, m.integer("stride"), m.integer("rows"), sums{
		dst: s[0], arrays: s[1:], unrolls: []int{4, 2, 1},
		strip: func(int) func(vec, []stream, int) {
			return func(acc vec, rows []stream, i int) {
				for k, x := range m.get(rows[0], i) {
					m.into(opAdd, acc[k], x)
				}
			}
		},
	})
	m.end()
}

func (m machine) colDot() {
	m.begin(
		"ColDot", "func(dst, x, y []float32, rows int)",
		"dst[j] = fma(x[i,j], y[i,j], dst[j]) for every row i in order",
	)
	n := m.length("dst")
	s := m.floats("dst", "x", "y")
	m.down(n, m.copyGP(n), m.integer("rows"), sums{
		dst: s[0], arrays: s[1:], unrolls: []int{4, 2, 1},
		strip: func(int) func(vec, []stream, int) {
			return func(acc vec, rows []stream, i int) {
				m.muladd(opAccum, acc, m.get(rows[0], i), m.get(rows[1], i))
			}
		},
	})
	m.end()
}

// colSquares keeps the numbers of its vector in registers, which leaves fewer for sums.
func (m machine) colSquares() {
	m.begin(
		"ColSquares", "func(dst, x, m []float32, rows int)",
		"d = x[i,j] - m[j]; dst[j] = fma(d, d, dst[j]) for every row i in order",
	)
	unrolls := []int{2, 1}
	if m.parts() == 1 {
		unrolls = []int{4, 2, 1}
	}
	n := m.length("dst")
	s := m.floats("dst", "m", "x")
	m.down(n, m.copyGP(n), m.integer("rows"), sums{
		dst: s[0], vectors: s[1:2], arrays: s[2:], unrolls: unrolls,
		strip: func(blocks int) func(vec, []stream, int) {
			means := make([]vec, blocks)
			for i := range means {
				means[i] = m.get(s[1], i)
			}
			return func(acc vec, rows []stream, i int) {
				d := m.sub(m.get(rows[0], i), means[i])
				m.muladd(opAccum, acc, d, d)
			}
		},
	})
	m.end()
}

func (m machine) affine() {
	m.byColumns(
		"Affine", "func(y, x, a, b []float32)", "y[i,j] = fma(x[i,j], a[j], b[j])",
		[]string{"y", "x"}, []string{"a", "b"},
		func(s, c []stream) func(int) {
			return func(i int) {
				y := m.muladd(opHorner, m.get(s[1], i), m.get(c[0], i), m.get(c[1], i))
				m.put(y, s[0], i)
			}
		},
	)
}

func (m machine) affineGrad(name, before string, adds bool) {
	m.byColumns(
		name, "func(dx, dy, x, a, b, c []float32)",
		"dx[i,j] = "+before+"fma(dy[i,j], a[j], fma(x[i,j], b[j], c[j]))",
		[]string{"dx", "dy", "x"}, []string{"a", "b", "c"},
		func(s, c []stream) func(int) {
			return func(i int) {
				g := m.muladd(opHorner, m.get(s[2], i), m.get(c[1], i), m.get(c[2], i))
				g = m.muladd(opHorner, m.get(s[1], i), m.get(c[0], i), g)
				if adds {
					g = m.add(m.get(s[0], i), g)
				}
				m.put(g, s[0], i)
			}
		},
	)
}
