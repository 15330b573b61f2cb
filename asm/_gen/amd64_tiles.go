package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Products of bf16 on the tiles of AMX. A block of 32 rows and 32 columns of c is four tiles, T0
// and T1 above T2 and T3; T4 and T5 are the rows of a, T6 and T7 the columns of b, for 32 numbers
// of the depth.
const (
	tileSide  = 16 // rows of a tile, and words in a row of it
	tileRow   = 4 * tileSide
	tileSize  = tileRow * tileSide // in bytes
	tileDepth = 2 * tileSide       // numbers of bf16 in a row
)

// A panel and the rows that it meets are taken in chunks of the depth, so that its numbers stay in
// the first-level cache for all blocks; the last chunk may be a little longer. Between two chunks
// the sums of the blocks lie one after the other in the frame.
const (
	chunkDepth   = 8 * tileDepth
	longestChunk = 10 * tileDepth
	blockSize    = 4 * tileSize
	mostBlocks   = 4
)

// fetching is how many blocks of a chunk prefetch the next panel, each half of what it has there.
const fetching = 2

// tiles is a walk over panels, in each over chunks of the depth, and in each over blocks of rows.
// All but soon are in memory.
type tiles struct {
	machine
	amd64            *amd64
	c, b             gp // of the panel
	panels           gp // that are left
	aChunk, bChunk   gp
	deep, left       gp // numbers of the depth: of the chunk, and behind it
	later            gp // 0 in the first chunk
	fetch            gp // how many blocks of the chunk are still to prefetch
	cRow, aRow, kept gp // of the block; kept: its sums between two chunks
	sums             gp // those of the first block
	soon             gp // what is prefetched next

	finish *finish // nil: the sums are the result
	kind   string  // of the block that is emitted
}

func (t *tiles) product() {
	a := t.amd64
	t.begin(
		"MulBlocks",
		"func(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32, bs, "+
			"rows, gap, blocks, panels, n, parts, step int, more bool)",
		"Halves.Mul in the order BF16, for at most four blocks of rows <= 32 rows that begin gap "+
			"rows apart, the groups of a part step words apart in a row; all counts are "+
			"positive; more: a panel follows the last, and is brought nearer",
	)
	t.configure(t.integer("rows"))
	t.c, t.b = t.counter(t.base("c")), t.counter(t.base("b"))
	t.panels = t.counter(t.integer("panels"))
	for _, p := range []*gp{
		&t.aChunk, &t.bChunk, &t.deep, &t.left, &t.later, &t.fetch, &t.cRow, &t.aRow, &t.kept,
	} {
		*p = a.c.AllocLocal(8)
	}
	t.sums, t.soon = t.counter(t.lines(mostBlocks*blockSize)), a.c.GP64()
	t.label("panel")
	t.moveGP(t.soon, t.b)
	t.addScaled(t.soon, t.integer("bs"), 4)
	t.moveGP(t.bChunk, t.copyGP(t.b))
	t.moveGP(t.aChunk, t.base("a"))
	t.moveGP(t.left, t.integer("n"))
	t.moveGP(t.later, t.zero())
	t.label("chunk")
	t.chunk()
	t.branch(t.left, notEqual, 0, "chunk")
	t.addImm(t.c, 2*tileRow)
	t.move(t.b, t.bytesOf("bs"))
	t.addImm(t.panels, -1)
	t.branch(t.panels, notEqual, 0, "panel")
	a.encoded("TILERELEASE")
	t.end()
}

// lines is an address in the frame where so many bytes begin with a line of the cache.
func (t *tiles) lines(n int) gp {
	c := t.amd64.c
	p, mask := c.GP64(), c.GP64()
	c.LEAQ(c.AllocLocal(n+tileRow-8).Offset(tileRow-8), p)
	c.MOVQ(operand.U64(1<<64-tileRow), mask)
	c.ANDQ(mask, p)
	return p
}

// chunk is the product of a chunk for all blocks, and moves on to the next.
func (t *tiles) chunk() {
	t.moveGP(t.cRow, t.copyGP(t.c))
	t.moveGP(t.aRow, t.copyGP(t.aChunk))
	t.moveGP(t.kept, t.copyGP(t.sums))
	fetch := t.zero()
	t.cutChunk()
	t.branch(t.panels, notEqual, 1, "ahead")
	t.amd64.c.CMPB(t.flag("more"), operand.U8(0))
	t.amd64.c.JEQ(operand.LabelRef("last"))
	t.label("ahead")
	t.addImm(fetch, fetching)
	t.label("last")
	t.moveGP(t.fetch, fetch)

	left := t.counter(t.integer("blocks"))
	t.label("block")
	t.branch(t.integer("rows"), less, tileSide+1, "half")
	t.block("wide", 2)
	t.jump("next")
	t.label("half")
	t.block("narrow", 1)
	t.label("next")
	t.nextResult()
	t.nextRows(t.aRow, "rs")
	t.addImm(t.kept, blockSize)
	t.addImm(left, -1)
	t.branch(left, notEqual, 0, "block")

	groups, step := t.copyGP(t.deep), t.bytesOf("step")
	t.shrGP(groups, 5)
	t.mulGP(step, groups)
	t.move(t.aChunk, step)
	size := t.amd64.c.GP64()
	t.amd64.c.MOVQ(operand.U32(2*tileSize), size)
	t.mulGP(groups, size)
	t.move(t.bChunk, groups)
	t.addImm(t.later, 1)
}

// cutChunk sets the depth of a chunk.
func (t *tiles) cutChunk() {
	deep := t.copyGP(t.left)
	if t.finish == nil {
		t.branch(t.integer("parts"), notEqual, 1, "cut")
	}
	t.branch(deep, less, longestChunk+1, "cut")
	t.amd64.c.MOVQ(operand.U32(chunkDepth), deep.(operand.Op))
	t.label("cut")
	t.moveGP(t.deep, deep)
	t.subFrom(t.left, deep)
	if t.finish != nil {
		t.share()
	}
}

// nextResult moves the place of the result on to the next block.
func (t *tiles) nextResult() {
	if t.finish == nil {
		t.nextRows(t.cRow, "ldc")
		return
	}
	rows := t.integer("gap")
	t.amd64.c.SHLQ(operand.Imm(6), rows.(operand.Op)) // of 64 bytes
	t.move(t.cRow, rows)
	t.nextRows(t.finish.slopeRow, "ld")
}

// move is p += n for an address in memory.
func (t *tiles) move(p, n gp) { t.amd64.c.ADDQ(n.(operand.Op), p.(operand.Op)) }

// nextRows moves an address on to the next block.
func (t *tiles) nextRows(p gp, stride string) {
	n := t.bytesOf(stride)
	t.mulGP(n, t.integer("gap"))
	t.move(p, n)
}

// configure gives the tiles of a and c their rows, and all tiles rows of 64 bytes. Those that a
// block of 16 rows or fewer does not need are whole.
func (t *tiles) configure(rows gp) {
	c := t.amd64.c
	upper, lower, word := c.GP64(), t.copyGP(rows), c.GP64()
	c.MOVQ(operand.U32(tileSide), upper)
	t.addImm(lower, -tileSide)
	t.branch(lower, greaterEqual, 1, "configured")
	t.moveGP(upper, rows)
	c.MOVQ(operand.U32(tileSide), lower.(operand.Op))
	t.label("configured")

	config := c.AllocLocal(64)
	const palette, widths, heights = 0, 16, 48 // where they are; the widths are words, in bytes
	for i := 0; i < 64; i += 8 {
		c.MOVQ(operand.U32(0), config.Offset(i))
	}
	c.MOVQ(operand.U32(1), config.Offset(palette))
	c.MOVQ(operand.U64(tileRow<<48|tileRow<<32|tileRow<<16|tileRow), word)
	c.MOVQ(word, config.Offset(widths))
	c.MOVQ(word, config.Offset(widths+8))
	c.MOVQ(operand.U64(1<<32|1<<8|1), word) // T0, T1, T4
	t.mulGP(upper, word)
	c.MOVQ(operand.U64(1<<40|1<<24|1<<16), word) // T2, T3, T5
	t.mulGP(lower, word)
	c.MOVQ(operand.U64(tileSide<<56|tileSide<<48), word) // T6, T7
	t.addScaled(word, upper, 1)
	t.addScaled(word, lower, 1)
	c.MOVQ(word, config.Offset(heights))
	c.LEAQ(config, reg.RAX)
	t.amd64.encoded("LDTILECFG", operand.Mem{Base: reg.RAX})
}

// block emits the product for a block of so many tiles above each other.
func (t *tiles) block(name string, high int) {
	a := t.amd64
	load := func(i int, m operand.Mem) { a.encoded("TILELOADD", m, tileOp(i)) }
	store := func(i int, m operand.Mem) { a.encoded("TILESTORED", tileOp(i), m) }
	t.branch(t.later, equal, 0, name+"first")
	t.eachTile(high, t.kept, t.side(), load)
	t.jump(name)
	t.label(name + "first")
	if t.finish == nil {
		a.c.CMPB(t.flag("first"), operand.U8(0))
		a.c.JEQ(operand.LabelRef(name + "load"))
	}
	for i := range 2 * high {
		a.encoded("TILEZERO", tileOp(i))
	}
	if t.finish != nil {
		t.kind = name
		t.label(name)
		t.multiplyFinish(name, high)
		t.eachTile(high, t.kept, t.side(), store)
		t.branch(t.left, notEqual, 0, name+"end")
		t.wait()
		t.label(name + "end")
		return
	}
	t.jump(name)
	t.label(name + "load")
	t.eachTile(high, t.cRow, t.bytesOf("ldc"), load)
	t.label(name)
	t.multiply(name, high)
	t.branch(t.left, equal, 0, name+"last")
	t.eachTile(high, t.kept, t.side(), store)
	t.jump(name + "end")
	t.label(name + "last")
	t.eachTile(high, t.cRow, t.bytesOf("ldc"), store)
	t.label(name + "end")
}

// flag is where an argument lies that is true or false.
func (t *tiles) flag(name string) operand.Mem {
	p, err := t.amd64.c.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// side is how far rows of a panel are apart, or of a block that is kept.
func (t *tiles) side() gp {
	p := t.amd64.c.GP64()
	t.amd64.c.MOVQ(operand.U32(2*tileRow), p)
	return p
}

// eachTile calls f for the tiles of a block's sums and their places.
func (t *tiles) eachTile(high int, at, stride gp, f func(i int, m operand.Mem)) {
	left := t.copyGP(at)
	right := t.copyGP(left)
	t.addImm(right, tileRow)
	for i := range high {
		if i > 0 {
			t.sixteenRows(left, stride)
			t.sixteenRows(right, stride)
		}
		f(2*i, apart(left, stride))
		f(2*i+1, apart(right, stride))
	}
}

// apart is the place of a tile whose rows are stride bytes apart.
func apart(p, stride gp) operand.Mem {
	return operand.Mem{Base: p.(reg.Register), Index: stride.(reg.Register), Scale: 1}
}

func (t *tiles) sixteenRows(p, stride gp) {
	t.addScaled(p, stride, 8)
	t.addScaled(p, stride, 8)
}

// multiply adds all products of a chunk.
func (t *tiles) multiply(name string, high int) {
	upper, stride := t.copyGP(t.aRow), t.bytesOf("rs")
	left, right, side := t.copyGP(t.bChunk), t.copyGP(t.bChunk), t.side()
	t.addImm(right, tileRow)
	rows := []gp{upper}
	if high > 1 {
		lower := t.copyGP(upper)
		t.sixteenRows(lower, stride)
		rows = append(rows, lower)
	}
	parts, ahead := t.counter(t.integer("parts")), t.bytesOf("step")
	line, lines := t.copyGP(t.cRow), t.bytesOf("ldc")
	t.label(name + "part")
	n := t.copyGP(t.deep)
	t.branch(t.fetch, equal, 0, name+"step")
	t.label(name + "fetch")
	t.step(rows, stride, ahead, left, right, side)
	t.prefetchNext()
	t.prefetchSums(line, lines)
	t.addImm(n, -tileDepth)
	t.branch(n, notEqual, 0, name+"fetch")
	t.jump(name + "stepped")
	t.label(name + "step")
	t.step(rows, stride, ahead, left, right, side)
	t.prefetchSums(line, lines)
	t.addImm(n, -tileDepth)
	t.branch(n, notEqual, 0, name+"step")
	t.label(name + "stepped")
	t.addImm(parts, -1)
	t.branch(parts, equal, 0, name+"done")
	for _, p := range rows {
		t.addScaled(p, t.bytesOf("jump"), 1)
	}
	t.jump(name + "part")
	t.label(name + "done")
	t.branch(t.fetch, equal, 0, name+"fetched")
	t.addImm(t.fetch, -1)
	t.label(name + "fetched")
}

// step adds the products of 32 numbers of the depth, and moves on. The order of loads is that of
// the fastest loop that was measured.
func (t *tiles) step(rows []gp, stride, ahead, left, right, side gp) {
	a := t.amd64
	a.encoded("TILELOADD", apart(rows[0], stride), tileOp(4))
	a.encoded("TILELOADD", apart(left, side), tileOp(6))
	a.encoded("TILELOADD", apart(right, side), tileOp(7))
	if len(rows) > 1 {
		a.encoded("TILELOADD", apart(rows[1], stride), tileOp(5))
	}
	for i := range 2 * len(rows) {
		a.encoded("TDPBF16PS", tileOp(6+i%2), tileOp(4+i/2), tileOp(i))
	}
	for _, p := range rows {
		t.addScaled(p, ahead, 1)
	}
	t.addImm(left, 2*tileSize)
	t.addImm(right, 2*tileSize)
}

// prefetchNext brings half as much of the next panel as is read of this one at a time into the
// second-level cache, which takes two lines where one is asked for.
func (t *tiles) prefetchNext() {
	const lines, part = 2 * 64, 2 * tileSize / fetching
	for off := 0; off < part; off += lines {
		t.amd64.c.PREFETCHT1(at(t.soon, off))
	}
	t.addImm(t.soon, part)
}

// prefetchSums brings the lines of the next rows of c near.
func (t *tiles) prefetchSums(line, lines gp) {
	const rows = 4
	for range rows {
		t.amd64.c.PREFETCHT0(at(line, 0))
		t.amd64.c.PREFETCHT0(at(line, tileRow))
		t.addScaled(line, lines, 1)
	}
}
