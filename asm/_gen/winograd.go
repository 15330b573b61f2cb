package main

import "slices"

// planes emits a kernel over the rows of several planes: body gets a block of each plane of src,
// and of each plane of dst unless nil, and returns those of dst.
func (m machine) planes(name, doc string, to, from int, updates bool, body func(y, x []vec) []vec) {
	m.begin(
		name, "func(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int)", doc,
	)
	rows := m.counter(m.integer("rows"))
	dst, ldd := m.plane("dst", "dp", to), m.gap("ldd")
	var held []stream
	if updates {
		held = dst
	}
	src, lds := m.plane("src", "sp", from), m.gap("lds")
	m.eachRow(rows, func() {
		m.span("n", m.integer("cols"), 1, slices.Concat(dst, src), func(i int) {
			var x, y []vec
			for _, s := range src {
				x = append(x, m.get(s, i))
			}
			for _, s := range held {
				y = append(y, m.get(s, i))
			}
			for k, v := range body(y, x) {
				m.put(v, dst[k], i)
			}
		})
		for _, s := range dst {
			m.advance(s, ldd)
		}
		for _, s := range src {
			m.advance(s, lds)
		}
	})
	m.end()
}

// plane is n streams that begin so many numbers apart.
func (m machine) plane(param, apart string, n int) []stream {
	s := m.floats(param)
	for len(s) < n {
		next := m.restart(s[len(s)-1])
		m.advance(next, m.integer(apart))
		s = append(s, next)
	}
	return s
}

// gap is what a row of cols numbers leaves of a stride.
func (m machine) gap(stride string) gp {
	g := m.integer(stride)
	m.subFrom(g, m.integer("cols"))
	return g
}

// winograd emits the transforms of F(2, 3) in one dimension (Lavin and Gray 2016, section 4.1, with
// the last product's sign changed, so that its gradient needs none).
func (m machine) winograd() {
	m.planes(
		"WinogradInput", "planes d0-d2, d1+d2, d2-d1, d3-d1 of four planes d", 4, 4, false,
		func(_, d []vec) []vec {
			return []vec{m.sub(d[0], d[2]), m.add(d[1], d[2]), m.sub(d[2], d[1]), m.sub(d[3], d[1])}
		},
	)
	output := func(p []vec) []vec {
		return []vec{m.add(m.add(p[0], p[1]), p[2]), m.add(m.sub(p[1], p[2]), p[3])}
	}
	m.planes(
		"WinogradOutput", "planes (p0+p1)+p2, (p1-p2)+p3 of four planes p", 2, 4, false,
		func(_, p []vec) []vec { return output(p) },
	)
	m.planes(
		"WinogradOutputAdd", "WinogradOutput, added to what dst holds", 2, 4, true,
		func(y, p []vec) []vec {
			sum := output(p)
			return []vec{m.add(y[0], sum[0]), m.add(y[1], sum[1])}
		},
	)
	m.planes(
		"WinogradGrad", "planes e0, e0+e1, e0-e1, e1 of two planes e", 4, 2, false,
		func(_, e []vec) []vec {
			return []vec{e[0], m.add(e[0], e[1]), m.sub(e[0], e[1]), e[1]}
		},
	)
}
