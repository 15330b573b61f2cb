package main

import "fmt"

// groupDepth is how many numbers of the depth make a group, and groupUnroll how many its loop takes
// at a time.
const groupDepth, groupUnroll = 32, 8

// groups emits the tiles of products of rounded factors. A group's even and odd products have
// accumulators of their own, and c is in memory from one group to the next.
func (m machine) groups() {
	_, blocks := m.tile()
	rows := m.groupRows()
	m.begin(
		"MulGroups",
		tileSignature,
		fmt.Sprintf(
			"c[i*ldc+j] = start[i*lds+j], then += even + odd for every %d numbers k < n*parts, "+
				"which are the sums of a[i*rs+k*cs+k/n*jump]*b[k*%[2]d+j] over the even and the "+
				"odd k in order, each rounded once; i < rows <= %[3]d, j < %[2]d, parts > 0, and "+
				"n a multiple of %[1]d unless parts = 1",
			groupDepth, blocks*blockLen, rows,
		),
	)
	m.byRows(rows, func(r int) { m.mulGroups(r, blocks) })
	m.end()
}

// mulGroups emits the tile of a given number of rows.
func (m machine) mulGroups(rows, blocks int) {
	t := &tile{machine: m, rows: rows, blocks: blocks, product: m.accumulate, at: m.base}
	name := t.name
	from, to, lds, ldc := m.base("start"), m.base("c"), m.bytesOf("lds"), m.bytesOf("ldc")
	for range rows { // this also brings c into the first-level cache
		for j := range blocks {
			m.store(m.load(from, 4*blockLen*j), to, 4*blockLen*j)
		}
		m.addScaled(from, lds, 1)
		m.addScaled(to, ldc, 1)
	}
	t.parts = m.counter(m.integer("parts"))
	t.begin()
	m.branch(t.left, less, 1, name("sum"))

	m.label(name("group"))
	t.chains = []tileSums{t.zeroSums(), t.zeroSums()}
	m.branch(t.left, less, groupDepth, name("two"))
	count := m.counter(m.zero())
	m.label(name("more"))
	t.step(groupUnroll, func(int) {})
	m.addImm(count, 1)
	m.branch(count, less, groupDepth/groupUnroll, name("more"))
	m.jump(name("add"))

	m.label(name("two"))
	m.branch(t.left, less, 2, name("one"))
	t.step(2, func(int) {})
	m.jump(name("two"))
	m.label(name("one"))
	m.branch(t.left, less, 1, name("add"))
	t.step(1, func(int) {})

	m.label(name("add"))
	t.addGroup()
	m.branch(t.left, greaterEqual, 1, name("group"))
	t.nextPart(name("group"))
}

// zeroSums is a chain's beginning.
func (t *tile) zeroSums() tileSums {
	acc := make(tileSums, t.rows)
	for i := range acc {
		for range t.blocks {
			acc[i] = append(acc[i], t.zeros())
		}
	}
	return acc
}

// addGroup adds the sum of the chains to c.
func (t *tile) addGroup() {
	even, odd := t.chains[0], t.chains[1]
	t.eachTileRow(t.rows, t.base("c"), "ldc", func(i int, p gp) {
		for j := range t.blocks {
			sum := t.add(even[i][j], odd[i][j])
			t.store(t.add(sum, t.load(p, 4*blockLen*j)), p, 4*blockLen*j)
		}
	})
}

// Bits of float32 that rounding to bf16 looks at.
const (
	signBit      = 1 << 31
	infinityBits = 0xff << 23
	quietNaNBits = infinityBits | 1<<22
	leastBits    = (127 - 56) << 23 // of 2^-56
	lostBits     = 1<<16 - 1
)

// bf16 rounds to bf16.
type bf16 struct {
	m                                            machine
	sign, magnitude, nan, least, one, half, kept vec
}

func (m machine) newBF16() *bf16 {
	return &bf16{
		m: m, sign: m.konstInt(signBit), magnitude: m.konstInt(signBit - 1),
		nan: m.konstInt(quietNaNBits), least: m.konstInt(leastBits - 1),
		one: m.konstInt(1), half: m.konstInt(lostBits / 2), kept: m.konstInt(^uint32(lostBits)),
	}
}

// round is v, the result of an operation, rounded. NaN of operations are quiet, so that the least
// of them takes the place of all without those payloads that would become numbers.
func (r *bf16) round(v vec) vec {
	m := r.m
	x := m.op(opIMin, m.op(opAnd, v, r.magnitude), r.nan)
	large := m.sar(m.op(opISub, r.least, x), 31) // all ones where x is not below the least
	odd := m.op(opAnd, m.shr(x, 16), r.one)
	x = m.op(opIAdd, m.op(opIAdd, x, r.half), odd)
	x = m.op(opAnd, m.op(opAnd, x, r.kept), large)
	out := make(vec, len(x))
	for i := range out {
		out[i] = m.xorAnd(x[i], v[i], r.sign.at(i))
	}
	return out
}

// roundings emits the kernels that round factors. The constants come first, outside the loop.
func (m machine) roundings() {
	var r *bf16
	m.strips(
		"RoundRows", "dst[i*ldd+j] = bf16(alpha*src[i*lds+j])",
		func() { r = m.newBF16() },
		func(v vec) vec { return r.round(v) },
	)
	m.strips(
		"RoundPairs", "dst[i*ldd+j] = bf16(alpha*src[i*lds+j^1])",
		func() { r = m.newBF16() },
		func(v vec) vec { return m.each(r.round(v), m.swapPairs) },
	)
	var infinity vec
	m.strips(
		"RoundRest", "with x = alpha*src[i*lds+j], dst[i*ldd+j] = bf16(x - bf16(x)), "+
			"or 0 where bf16(x) is not finite,",
		func() { r, infinity = m.newBF16(), m.konstInt(infinityBits) },
		func(v vec) vec {
			first := r.round(v)
			size := m.op(opAnd, first, r.magnitude)
			finite := m.sar(m.op(opISub, size, infinity), 31)
			return r.round(m.op(opAnd, m.sub(v, first), finite))
		},
	)
}
