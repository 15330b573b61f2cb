package main

import "fmt"

// accumulate adds x*y to acc.
func (m machine) accumulate(acc, x, y vec) { m.muladd(opAccum, acc, x, y) }

// products emits the tiles of matrix products, by an operation that adds x*y to acc. They have as
// many accumulators as the registers hold, so that each number read from memory enters several
// products.
func (m machine) products(rounding string, product func(acc, x, y vec)) {
	rows, blocks := m.tile()
	m.begin(
		"MulTile",
		tileSignature,
		fmt.Sprintf(
			"c[i*ldc+j] = start[i*lds+j], then += a[i*rs+k*cs+k/n*jump]*b[k*%[1]d+j] "+
				"for k < n*parts in order, %[3]s; i < rows <= %[2]d, j < %[1]d, "+
				"parts > 0",
			blocks*blockLen, rows, rounding,
		),
	)
	m.byRows(rows, func(r int) {
		t := &tile{machine: m, rows: r, blocks: blocks, product: product, at: m.base}
		t.parts = m.counter(m.integer("parts"))
		t.mulTile()
	})
	m.end()
}

// mulRows emits some tiles of all rows, one after the other.
func (m machine) mulRows(product func(acc, x, y vec)) {
	rows, blocks := m.tile()
	m.begin(
		"MulRows",
		"func(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, next int, "+
			"b []float32, tiles, n int)",
		fmt.Sprintf(
			"MulTile of %[1]d rows and one part for some tiles, at least one: each has the "+
				"next %[1]d rows of c and start, and begins %[1]d*next numbers after the one "+
				"before in a",
			rows,
		),
	)
	places := map[string]gp{} // where the present tile begins
	for _, p := range []string{"c", "start", "a"} {
		places[p] = m.counter(m.base(p))
	}
	t := &tile{machine: m, rows: rows, blocks: blocks, product: product}
	t.at = func(param string) gp {
		if p := places[param]; p != nil {
			return m.copyGP(p)
		}
		return m.base(param)
	}
	left := m.counter(m.integer("tiles"))
	m.label("tile")
	t.mulTile()
	for _, p := range [][2]string{{"c", "ldc"}, {"start", "lds"}, {"a", "next"}} {
		step, back, high := m.bytesOf(p[1]), m.zero(), m.zero()
		m.addImm(high, rows)
		m.mulGP(step, high)
		m.subFrom(back, step)
		m.subFrom(places[p[0]], back)
	}
	m.addImm(left, -1)
	m.branch(left, notEqual, 0, "tile")
	m.end()
}

const tileSignature = "func(c []float32, ldc int, start []float32, lds int, " +
	"a []float32, rs, cs, jump int, b []float32, rows, n, parts int)"

// byRows emits the tiles of every number of rows up to most.
func (m machine) byRows(most int, emit func(rows int)) {
	for r := most; r > 1; r-- {
		m.branch(m.integer("rows"), less, r, fmt.Sprintf("under%d", r))
		emit(r)
		m.jump("done")
		m.label(fmt.Sprintf("under%d", r))
	}
	m.branch(m.integer("rows"), less, 1, "done")
	emit(1)
	m.label("done")
}

// bytesOf is the size in bytes of as many float32 as the parameter says.
func (m machine) bytesOf(param string) gp {
	n := m.zero()
	m.addScaled(n, m.integer(param), 4)
	return n
}

// The distances of prefetches: in bytes of b, since CPUs stop reading ahead at the end of a page,
// and in numbers of a row of a.
const aheadB, aheadA = 2048, 32

// mulUnroll is how many values of k the loop takes at a time.
const mulUnroll = 4

// eachTileRow runs f with the address of every row from p on, stride numbers apart.
func (m machine) eachTileRow(rows int, p gp, stride string, f func(i int, p gp)) {
	step := m.bytesOf(stride)
	for i := range rows {
		f(i, p)
		if i < rows-1 {
			m.addScaled(p, step, 1)
		}
	}
}

// mulTile emits the tile.
func (t *tile) mulTile() {
	acc := make(tileSums, t.rows)
	t.eachTileRow(t.rows, t.at("start"), "lds", func(i int, p gp) {
		for j := range t.blocks {
			acc[i] = append(acc[i], t.load(p, 4*blockLen*j))
		}
	})
	t.chains = []tileSums{acc}
	t.begin()
	t.multiply()
	t.eachTileRow(t.rows, t.at("c"), "ldc", func(i int, p gp) {
		for j := range t.blocks {
			t.store(acc[i][j], p, 4*blockLen*j)
		}
	})
}

// tileSums are the blocks of each row of a tile.
type tileSums [][]vec

// tile is a tile being computed.
type tile struct {
	machine
	rows, blocks int
	product      func(acc, x, y vec)
	at           func(param string) gp // where it begins in an argument
	chains       []tileSums            // by turns, a product of number k is added to chain k
	a, soon      column
	b, left      gp
	parts        gp // still to come; nil: there is one
}

// begin goes to the first products.
func (t *tile) begin() {
	t.b, t.left = t.base("b"), t.counter(t.integer("n"))
	t.a = t.column(t.at("a"), t.bytesOf("rs"), t.bytesOf("cs"), t.rows)
	t.soon = t.ahead(t.a, aheadA)
}

// name is a label of the tile's code.
func (t *tile) name(s string) string { return fmt.Sprintf("%s%d", s, t.rows) }

// nextPart goes on at label to with the next part, if there is one.
func (t *tile) nextPart(to string) {
	if t.parts == nil {
		return
	}
	t.addImm(t.parts, -1)
	t.branch(t.parts, less, 1, t.name("sum"))
	t.skip(t.a, t.bytesOf("jump"))
	t.moveGP(t.left, t.integer("n"))
	t.jump(to)
	t.label(t.name("sum"))
}

// multiply adds all products. Meanwhile it prefetches the lines of c that will be written, a few at
// a time: more would delay the loads that the products wait for.
func (t *tile) multiply() {
	const perStep = 2 // rows of c
	name, steps := t.name, (t.rows+perStep-1)/perStep
	t.branch(t.left, less, steps*mulUnroll, name("four"))
	c, ldc, count := t.at("c"), t.bytesOf("ldc"), t.counter(t.zero())
	t.label(name("first"))
	t.step(mulUnroll, func(k int) {
		if k%(mulUnroll/perStep) == 0 {
			for j := range t.blocks {
				t.prefetch(c, 4*blockLen*j)
			}
			t.addScaled(c, ldc, 1)
		}
	})
	t.addImm(count, 1)
	t.branch(count, less, steps, name("first"))

	t.label(name("four"))
	t.branch(t.left, less, mulUnroll, name("one"))
	t.step(mulUnroll, func(int) {})
	t.jump(name("four"))

	t.label(name("one"))
	t.branch(t.left, less, 1, name("end"))
	t.step(1, func(int) {})
	t.jump(name("one"))

	t.label(name("end"))
	t.nextPart(name("four"))
}

// step emits the products of n values of k, and after each calls also.
func (t *tile) step(n int, also func(k int)) {
	width := 4 * blockLen * t.blocks
	rows := (t.rows + n - 1) / n // of a, to be prefetched at each k
	for k := range n {
		bs := make([]vec, t.blocks)
		for j := range bs {
			bs[j] = t.load(t.b, k*width+4*blockLen*j)
			t.prefetch(t.b, aheadB+k*width+4*blockLen*j)
		}
		for i, sums := range t.chains[k%len(t.chains)] {
			if i/rows == k {
				t.touch(t.soon, i)
			}
			x := t.entry(t.a, i)
			for j := range bs {
				t.product(sums[j], x, bs[j])
			}
		}
		also(k)
		t.next(t.a)
	}
	t.addImm(t.b, n*width)
	t.addImm(t.left, -n)
}

// peak emits nothing but the products of a tile, as many independent ones as it has: more than any
// CPU can have under way.
func (m machine) peak(operations string, product func(acc, x, y vec)) {
	rows, blocks := m.tile()
	count := rows * blocks * m.parts()
	m.begin(
		"Peak",
		"func(n int)",
		fmt.Sprintf(
			"n times %d %s of whole registers, independent of each other", count, operations,
		),
	)
	n := m.integer("n")
	x := m.block(m.konst(0.5))[:1]
	var acc vec
	for range count {
		acc = append(acc, m.copyPart(x[0]))
	}
	m.branch(n, less, 1, "done")
	m.label("loop")
	product(acc, x, x)
	m.addImm(n, -1)
	m.branch(n, notEqual, 0, "loop")
	m.label("done")
	m.end()
}
