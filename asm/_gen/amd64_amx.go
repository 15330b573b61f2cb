package main

import (
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (m machine) tileProducts() {
	a := m.isa.(*amd64)
	a.savedState()
	t := &tiles{machine: m, amd64: a}
	t.product()
	t.peak()
	(&tiles{machine: m, amd64: a}).productSiLU()
}

// savedState is what has to be known before tiles may be used.
func (a *amd64) savedState() {
	a.begin("XCR0", "func() uint64", "the state that the system saves for a thread, by XGETBV")
	a.c.XORL(reg.ECX, reg.ECX)
	a.c.Instruction(&ir.Instruction{
		Opcode: "XGETBV", Inputs: []operand.Op{reg.ECX}, Outputs: []operand.Op{reg.RAX, reg.RDX},
	})
	a.c.SHLQ(operand.Imm(32), reg.RDX)
	a.c.ADDQ(reg.RDX, reg.RAX)
	a.c.Store(reg.RAX, a.c.ReturnIndex(0))
	a.end()
}

// peak emits nothing but products of tiles, each of which waits only for the one six before it.
func (t *tiles) peak() {
	const sums = 6
	a := t.amd64
	t.begin("Peak", "func(n int)", "n times 6 products of whole tiles, independent of each other")
	n, rows := t.integer("n"), a.c.GP64()
	t.branch(n, less, 1, "done")
	a.c.MOVQ(operand.U32(2*tileSide), rows)
	t.configure(rows)
	for i := range sums + 2 {
		a.encoded("TILEZERO", tileOp(i))
	}
	t.label("loop")
	for i := range sums {
		a.encoded("TDPBF16PS", tileOp(sums+1), tileOp(sums), tileOp(i))
	}
	t.addImm(n, -1)
	t.branch(n, notEqual, 0, "loop")
	a.encoded("TILERELEASE")
	t.label("done")
	t.end()
}
