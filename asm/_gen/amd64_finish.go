package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// finish is what becomes of the sums of a block that are complete. They stay in the frame, and
// while the next block is multiplied, some rows of this one are finished between its instructions
// on tiles. All but the masks is in memory.
type finish struct {
	slopes, slopeRow gp // of the panel, and of the block
	bias, columns    gp // of the panel; columns that are left
	quota            gp // rows at a time
	slopeStep        gp // bytes between rows of slopes
	slopeCount       gp // numbers of them; 0: they are not wanted
	// Of the block that waits:
	left                         gp // rows; 0: none waits
	waitingSums, waitingTo       gp
	waitingSlopes, waitingBiases gp
	masks                        [2]reg.Register // of the columns that there are
	silu                         silu
	halver                       *halver
}

// productSiLU emits the walk over panels, chunks and blocks whose sums become halves.
func (t *tiles) productSiLU() {
	a := t.amd64
	t.begin(
		"MulSiLU",
		"func(dst []float32, ss int, slopes []float32, ld int, bias, a []float32, rs int, "+
			"b []float32, bs, rows, gap, blocks, panels, n, step int, more bool)",
		"Halves.MulSiLU, for at most four blocks of rows <= 32 rows that begin gap rows apart, "+
			"the groups of a row step words apart; all counts are positive; more: a panel "+
			"follows the last, and is brought nearer",
	)
	t.configure(t.integer("rows"))
	f := t.prepare()
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
	t.move(t.c, t.bytesOf("ss"))
	t.addImm(f.slopes, 2*tileRow)
	t.addImm(f.bias, 2*tileRow)
	t.addImm(f.columns, -tileDepth)
	t.move(t.b, t.bytesOf("bs"))
	t.addImm(t.panels, -1)
	t.branch(t.panels, notEqual, 0, "panel")
	t.moveGP(f.quota, t.copyGP(f.left))
	t.finishRows("rest")
	a.encoded("TILERELEASE")
	t.end()
}

// prepare loads what the walk needs.
func (t *tiles) prepare() *finish {
	a := t.amd64
	f := &finish{silu: t.newSiLU(), halver: a.newHalver()}
	t.finish = f
	t.c, t.b = t.counter(t.base("dst")), t.counter(t.base("b"))
	f.slopes, f.bias = t.counter(t.base("slopes")), t.counter(t.base("bias"))
	f.columns = t.counter(t.length("bias"))
	f.slopeStep, f.slopeCount = t.counter(t.bytesOf("ld")), t.counter(t.length("slopes"))
	t.panels = t.counter(t.integer("panels"))
	for _, p := range []*gp{
		&t.aChunk, &t.bChunk, &t.deep, &t.left, &t.later, &t.fetch, &t.cRow, &t.aRow, &t.kept,
		&f.slopeRow, &f.quota, &f.waitingSums, &f.waitingTo, &f.waitingSlopes, &f.waitingBiases,
	} {
		*p = a.c.AllocLocal(8)
	}
	none := t.zero()
	f.left = t.counter(none)
	for i := range f.masks {
		f.masks[i] = a.c.K()
		a.c.KMOVW(none.(reg.GPVirtual).As32(), f.masks[i])
	}
	return f
}

// share begins a chunk with the panel's slopes. It sets how many rows are finished at each of the
// four places in a group of the depth, so that none is left when the chunk is done.
func (t *tiles) share() {
	f, n := t.finish, t.copyGP(t.deep)
	t.moveGP(f.slopeRow, t.copyGP(f.slopes))
	t.moveGP(f.quota, t.number(1))
	t.branch(n, greaterEqual, 8*tileDepth, "shared")
	t.moveGP(f.quota, t.number(2))
	t.branch(n, greaterEqual, 4*tileDepth, "shared")
	t.moveGP(f.quota, t.number(4))
	t.branch(n, greaterEqual, 2*tileDepth, "shared")
	t.moveGP(f.quota, t.number(8))
	t.label("shared")
}

func (t *tiles) number(n int) gp {
	p := t.amd64.c.GP64()
	t.amd64.c.MOVQ(operand.U32(n), p)
	return p
}

// wait makes the block wait whose sums are complete.
func (t *tiles) wait() {
	f, c := t.finish, t.amd64.c
	t.moveGP(f.waitingSums, t.copyGP(t.kept))
	t.moveGP(f.waitingTo, t.copyGP(t.cRow))
	t.moveGP(f.waitingSlopes, t.copyGP(f.slopeRow))
	t.moveGP(f.waitingBiases, t.copyGP(f.bias))
	t.moveGP(f.left, t.integer("rows"))
	bits := c.GP64()
	c.MOVQ(f.columns.(operand.Op), reg.RCX)
	c.MOVQ(operand.U64(1<<32-1), bits)
	t.branch(reg.RCX, greaterEqual, tileDepth, t.finishName("whole"))
	c.MOVQ(operand.U32(1), bits)
	c.SHLQ(reg.CL, bits)
	t.addImm(bits, -1)
	t.label(t.finishName("whole"))
	c.KMOVW(bits.As32(), f.masks[0])
	t.shrGP(bits, 16)
	c.KMOVW(bits.As32(), f.masks[1])
}

// finishName is a label of the kind of block that is emitted.
func (t *tiles) finishName(s string) string { return t.kind + s }

// finishRows finishes as many rows as are due.
func (t *tiles) finishRows(name string) {
	f := t.finish
	t.branch(f.left, equal, 0, name+"finished")
	sums, to := t.copyGP(f.waitingSums), t.copyGP(f.waitingTo)
	slopes, bias := t.copyGP(f.waitingSlopes), t.copyGP(f.waitingBiases)
	n := t.copyGP(f.quota)
	t.amd64.c.CMPQ(f.left.(operand.Op), n.(operand.Op))
	t.amd64.c.JGE(operand.LabelRef(name + "due"))
	t.moveGP(n, f.left)
	t.label(name + "due")
	t.subFrom(f.left, n)
	t.label(name + "row")
	t.finishRow(name, sums, to, slopes, bias)
	t.addImm(sums, 2*tileRow)
	t.addImm(to, tileRow)
	t.addImm(n, -1)
	t.branch(n, notEqual, 0, name+"row")
	t.moveGP(f.waitingSums, sums)
	t.moveGP(f.waitingTo, to)
	t.moveGP(f.waitingSlopes, slopes)
	t.label(name + "finished")
}

// finishRow turns a row of sums into halves, and writes slopes if there is a place for them.
func (t *tiles) finishRow(name string, sums, to, slopes, bias gp) {
	f, a := t.finish, t.amd64
	var y, d [2]vec
	a.c.Comment(beginMark)
	for i := range y {
		a.mask = f.masks[i]
		x := t.loadWhole(sums, i*tileRow)[0].(reg.VecVirtual)
		a.c.VADDPS_Z(at(bias, i*tileRow), x, f.masks[i], x)
		y[i], d[i] = f.silu.eval(vec{x})
	}
	a.c.VMOVUPS(f.halver.round(y[0], y[1]), at(to, 0))
	a.c.Comment(endMark)
	a.mask = nil
	t.branch(f.slopeCount, equal, 0, name+"written")
	for i := range d {
		a.mask = f.masks[i]
		t.store(d[i], slopes, i*tileRow)
	}
	a.mask = nil
	t.amd64.c.ADDQ(f.slopeStep.(operand.Op), slopes.(operand.Op))
	t.label(name + "written")
}

// loadWhole loads sixteen numbers, whatever the mask.
func (t *tiles) loadWhole(p gp, off int) vec {
	r := t.amd64.reg()
	t.amd64.c.VMOVUPS(at(p, off), r)
	return vec{r}
}

// multiplyFinish is multiply for the sums of a block while rows of another are finished.
func (t *tiles) multiplyFinish(name string, high int) {
	upper, stride := t.copyGP(t.aRow), t.bytesOf("rs")
	left, right, side := t.copyGP(t.bChunk), t.copyGP(t.bChunk), t.side()
	t.addImm(right, tileRow)
	rows := []gp{upper}
	if high > 1 {
		lower := t.copyGP(upper)
		t.sixteenRows(lower, stride)
		rows = append(rows, lower)
	}
	n := t.counter(t.copyGP(t.deep))
	t.label(name + "step")
	var slots []string
	t.stepBetween(rows, stride, left, right, side, func() {
		slot := fmt.Sprintf("%s%d", name, len(slots))
		slots = append(slots, slot)
		t.finishRows(slot)
	})
	ahead := t.bytesOf("step")
	for _, p := range rows {
		t.addScaled(p, ahead, 1)
	}
	t.addImm(left, 2*tileSize)
	t.addImm(right, 2*tileSize)
	t.branch(t.fetch, equal, 0, name+"near")
	t.prefetchNext()
	t.label(name + "near")
	t.addImm(n, -tileDepth)
	t.branch(n, notEqual, 0, name+"step")
	t.branch(t.fetch, equal, 0, name+"fetched")
	t.addImm(t.fetch, -1)
	t.label(name + "fetched")
}

// stepBetween is the products of 32 numbers of the depth, and other work between them. A CPU has
// few instructions on tiles under way at a time: work behind all of them would wait for all.
func (t *tiles) stepBetween(rows []gp, stride, left, right, side gp, work func()) {
	a := t.amd64
	a.encoded("TILELOADD", apart(rows[0], stride), tileOp(4))
	a.encoded("TILELOADD", apart(left, side), tileOp(6))
	work()
	a.encoded("TILELOADD", apart(right, side), tileOp(7))
	work()
	if len(rows) > 1 {
		a.encoded("TILELOADD", apart(rows[1], stride), tileOp(5))
	}
	work()
	for i := range 2 * len(rows) {
		a.encoded("TDPBF16PS", tileOp(6+i%2), tileOp(4+i/2), tileOp(i))
	}
	work()
}
