package main

// blockLen is the number of float32 in a block, the unit in which every kernel is written: one
// register of AVX-512, two of AVX2, four of NEON. Sums over a row keep one partial per place
// in the block, so that all machines add in the same order.
const blockLen = 16

// part is a vector register of a machine (or, on amd64, a constant in memory); gp is a general
// register holding an address or a count; column is a place in a matrix.
type (
	part   any
	gp     any
	column any
)

// vec is a block of 16 lanes: isa.parts() registers, or a single register whose lanes are all
// equal, which stands for each of them.
type vec []part

// at is register i of the block.
func (v vec) at(i int) part {
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}

// binary is an operation of two registers.
type binary int

const (
	opAdd binary = iota
	opSub
	opMul
	opDiv
	opMax  // NaN if the second operand is NaN; the first is a constant
	opMin  // likewise
	opMaxC // the second operand, a constant, if the first is NaN
	opMinC // likewise
	opIAdd // 32-bit integers
	opISub
	opIMax // signed
	opIMin
	opAnd
	opOr
	opXor
)

// unary is an operation of one register.
type unary int

const (
	opSqrt    unary = iota
	opFromInt       // signed 32-bit integers to float32, rounded to nearest
	opToInt         // float32 to signed integers, truncated; values out of range never occur
)

// ternary is a multiply-add, rounded once. It consumes its first operand; opAccum and
// opAccumNeg overwrite it, so that loops can accumulate.
type ternary int

const (
	opHorner    ternary = iota // p*a + b
	opHornerSub                // p*a - b
	opAccum                    // p + a*b
	opAccumNeg                 // p - a*b
)

// shift is a shift of 32-bit lanes by a constant.
type shift int

const (
	opShl shift = iota
	opShr       // logical
	opSar       // arithmetic
)

// relation compares a general register with a constant, as signed integers.
type relation int

const (
	equal relation = iota
	notEqual
	less
	greaterEqual
)

// isa is what a machine can do. Values are virtual: a backend assigns registers. Operations
// return new values unless they say that they consume an operand.
type isa interface {
	parts() int // registers per block

	// begin opens a function with a Go signature such as "func(dst, x []float32, d int) int";
	// end closes it. doc is its comment in the stubs.
	begin(name, signature, doc string)
	end()

	// Arguments: the base address or the length of a slice, an integer of 64 bits or fewer (zero-
	// extended), a float32 in all lanes (made outside loops, alive to the end of the function).
	base(param string) gp
	length(param string) gp
	integer(param string) gp
	float(param string) vec
	resultInt(v gp)         // the function's only result, an int
	resultInts(lo, hi part) // two int32 results named lo and hi, from lanes 0

	// Constants of all lanes, made outside loops, alive to the end of the function.
	konst(f float32) vec
	konstInt(u uint32) vec
	table(t [8]uint32) part // for lookup

	// General registers.
	zero() gp
	counter(a gp) gp // a, for addImm, branch and copies alone: in memory where registers are few
	copyGP(a gp) gp
	moveGP(dst, src gp)
	addImm(a gp, n int)           // a += n
	addScaled(a, n gp, scale int) // a += n*scale, scale 1, 4 or 8
	subFrom(a, b gp)              // a -= b
	load64(p gp, off int) gp      // the 64-bit word at p+off
	mulGP(a, b gp)                // a *= b
	shrGP(a gp, n int)            // a >>= n, logical
	label(name string)            // names are unique in the function
	fresh(name string) string     // a label not used yet, beginning with name
	jump(name string)
	branch(a gp, r relation, n int, to string)

	// Memory, 16 elements at p+off bytes. Between tail and full only the first n lanes (0 < n <
	// 16) are read and written, and nothing else is touched: other lanes read as zero.
	tail(n gp)
	full()
	load(p gp, off int) vec
	loadOr(p gp, off int, other vec) vec // lanes that are not read are those of other
	store(v vec, p gp, off int)
	inTail(v vec) vec             // v, zero in lanes outside the tail
	loadU8(p gp, off int) vec     // bytes as 32-bit integers
	storeU8(v vec, p gp, off int) // integers in 0..255 as bytes
	broadcast(p gp, off int) vec  // the float32 at p+off in all lanes

	// tile is the shape of the tiles of matrix products: rows, and blocks in a row.
	tile() (rows, blocks int)
	// groupRows is the most rows of the tiles of MulGroups, which have as many blocks in a row.
	groupRows() int
	// column is the numbers at p + i*stride bytes for i < rows; the next column is step bytes
	// further. entry is number i in all lanes. Each is to be read once before next moves on.
	column(p, stride, step gp, rows int) column
	entry(c column, i int) vec
	next(c column)
	skip(c column, n gp) // moves c, and what is ahead of it, n bytes on
	// ahead is the column n columns after c, and moves with c. touch prefetches the line of its
	// number i.
	ahead(c column, n int) column
	touch(c column, i int)
	// transposed reads 4 numbers of each of 16 rows, of a column whose step is 16, and returns 4
	// blocks: the first numbers of all rows, the second ones and so on.
	transposed(c column) [4]vec

	// prefetch brings the line at p+off into the first-level cache. The address may be invalid.
	prefetch(p gp, off int)

	// Operations of one register.
	bin(op binary, a, b part) part
	into(op binary, acc, b part) // acc = acc op b, in place, for loops that accumulate
	un(op unary, a part) part
	fma(op ternary, p, a, b part) part
	shift(op shift, a part, n int) part
	copyPart(a part) part
	assign(dst, src part)
	xorAnd(a, b, c part) part             // a ^ (b & c), c a constant
	swapBit30(t, a, b part) (a2, b2 part) // a and b, exchanged in lanes where bit 30 of t is set
	lookup(t, q part) part                // entry q mod 8 of the table
	swapPairs(a part) part                // lanes 2i and 2i+1 exchanged

	// Lane 0 alone: a scalar is a part whose other lanes are unspecified.
	fold(acc vec) part              // sum of 16 lanes, by halves: 16 to 8 to 4 to 2 to 1
	foldBy(acc vec, op binary) part // likewise by opIMin, opIMax, or opMax without NaN
	loadScalar(p gp, off int) part
	storeScalar(s part, p gp, off int)
	binScalar(op binary, a, b part) part // opMul, opDiv; a or b may be a constant
	intoScalar(op binary, acc, b part)   // opMul in place
	sqrtScalar(a part) part
	branchGreater(a, b part, to string) // to if a > b; not if either is NaN
	spread(s part) vec                  // lane 0 in all lanes

	// Lane 0 as a float64, where float32 would round too early.
	double(param string) part            // a float64 argument, alive to the end of the function
	widen(s part) part                   // from float32
	narrow(s part) part                  // to float32
	binDouble(op binary, a, b part) part // opMul, opDiv
	sqrtDouble(a part) part
	branchGreaterDouble(a, b part, to string) // to if a > b; not if either is NaN

	place() part // a register to be assigned to, or memory where there are few
	zeros() vec  // a block of its own, not a constant

	// Philox4x32-10. philoxInit reads the parameters seed uint64 and step uint32, and the uint32
	// parameters that name streams, outside loops. philox computes group g of a stream, given by
	// its place among them: even is [word 0 | word 2] and odd [word 1 | word 3], 8 lanes each, lane
	// l of a word being block 8g+l. philoxNext's finish overwrites both.
	philoxInit(streams ...string)
	philoxHigh(g gp) // to be called after g has changed, before the others
	philox(stream int, g gp) (even, odd vec)
	// philoxNext computes group g in stretches without jumps; finish then puts it into even and
	// odd.
	philoxNext(stream int, g gp, even, odd vec) (stretches []func(), finish func())
	// interleave emits two independent stretches without jumps. It may mix them, so that the second
	// fills the gaps that the first one's long chain of operations leaves.
	interleave(first, second func())
	// halves is [first half of a | first half of b] and [second half of a | second half of b].
	halves(a, b vec) (vec, vec)
}

// machine adds operations on whole blocks to an isa.
type machine struct{ isa }

// zip works on whole blocks and on parts of them.
func (m machine) zip(a, b vec, f func(a, b part) part) vec {
	out := make(vec, max(len(a), len(b)))
	for i := range out {
		out[i] = f(a.at(i), b.at(i))
	}
	return out
}

func (m machine) each(a vec, f func(part) part) vec {
	return m.zip(a, a, func(a, _ part) part { return f(a) })
}

func (m machine) op(op binary, a, b vec) vec {
	return m.zip(a, b, func(a, b part) part { return m.bin(op, a, b) })
}

func (m machine) add(a, b vec) vec { return m.op(opAdd, a, b) }
func (m machine) sub(a, b vec) vec { return m.op(opSub, a, b) }
func (m machine) mul(a, b vec) vec { return m.op(opMul, a, b) }
func (m machine) div(a, b vec) vec { return m.op(opDiv, a, b) }

func (m machine) do(op unary, a vec) vec {
	return m.each(a, func(a part) part { return m.un(op, a) })
}

// muladd is the ternary op; it consumes p, which is as long as the result.
func (m machine) muladd(op ternary, p, a, b vec) vec {
	out := make(vec, len(p))
	for i := range out {
		out[i] = m.fma(op, p.at(i), a.at(i), b.at(i))
	}
	return out
}

func (m machine) shl(a vec, n int) vec {
	return m.each(a, func(a part) part { return m.shift(opShl, a, n) })
}

func (m machine) shr(a vec, n int) vec {
	return m.each(a, func(a part) part { return m.shift(opShr, a, n) })
}

func (m machine) sar(a vec, n int) vec {
	return m.each(a, func(a part) part { return m.shift(opSar, a, n) })
}

// dup is a copy that may be consumed.
func (m machine) dup(a vec) vec { return m.each(a, m.copyPart) }

// equal is a place for a value that is the same in all lanes, to be assigned to.
func (m machine) equal() vec { return vec{m.place()} }

// places is a block to be assigned to.
func (m machine) places() vec {
	v := make(vec, m.parts())
	for i := range v {
		v[i] = m.place()
	}
	return v
}

// block is a copy of v, all of whose lanes are equal, with registers of its own.
func (m machine) block(v vec) vec {
	out := make(vec, m.parts())
	for i := range out {
		out[i] = m.copyPart(v.at(i))
	}
	return out
}

// poly is the polynomial with the given coefficients, highest power first, by Horner's rule.
func (m machine) poly(x vec, coefs ...vec) vec {
	p := m.zip(coefs[0], x, func(c, _ part) part { return m.copyPart(c) })
	for _, c := range coefs[1:] {
		p = m.muladd(opHorner, p, x, c)
	}
	return p
}
