package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Instructions that Go's assembler and avo have no names for. Like others they have virtual
// registers until avo assigns them; then encodeAll writes them as bytes, with what they are in a
// comment, to which a test holds the bytes.

// tileOp is a tile register; avo leaves such an operand alone.
func tileOp(n int) operand.Op { return operand.LabelRef(fmt.Sprintf("T%d", n)) }

// tileNumber is the register in an operand, if it is a tile.
func tileNumber(o operand.Op) (n byte, is bool) {
	name, is := o.(operand.LabelRef)
	if is {
		n = name[1] - '0'
	}
	return n, is
}

// coding is how an instruction is encoded: its opcode, in the map 0F38 of all of them, and the
// prefix that tells those with one opcode apart.
type coding struct {
	prefix, opcode byte
	evex           bool
	bytes          func(c coding, ops []operand.Op) []byte
}

const (
	noPrefix byte = iota
	prefix66
	prefixF3
	prefixF2
)

// Operands are in the order of Go's assembler: what is written comes last.
var codings = map[string]coding{
	"LDTILECFG":      {noPrefix, 0x49, false, coding.memory},
	"TILERELEASE":    {noPrefix, 0x49, false, coding.tiles},
	"TILEZERO":       {prefixF2, 0x49, false, coding.tiles},
	"TILELOADD":      {prefixF2, 0x4b, false, coding.memory},
	"TILESTORED":     {prefixF3, 0x4b, false, coding.memory},
	"TDPBF16PS":      {prefixF3, 0x5c, false, coding.tiles},
	"VDPBF16PS":      {prefixF3, 0x52, true, coding.vectors},
	"VCVTNE2PS2BF16": {prefixF2, 0x72, true, coding.vectors},
}

// encoded appends such an instruction. It reads all of its registers.
func (a *amd64) encoded(op string, ops ...operand.Op) *ir.Instruction {
	i := &ir.Instruction{Opcode: op, Operands: ops, Inputs: ops}
	a.c.Instruction(i)
	return i
}

// encodeAll turns such instructions into bytes.
func encodeAll(nodes []ir.Node) {
	for _, n := range nodes {
		i, ok := n.(*ir.Instruction)
		if !ok {
			continue
		}
		c, ok := codings[i.Opcode]
		if !ok {
			continue
		}
		var text strings.Builder
		for _, b := range c.bytes(c, i.Operands) {
			fmt.Fprintf(&text, "BYTE $%#02x; ", b)
		}
		var names []string
		for _, o := range i.Operands {
			names = append(names, o.Asm())
		}
		name := strings.TrimSpace(i.Opcode + " " + strings.Join(names, ", "))
		i.Opcode, i.Operands = strings.TrimSuffix(text.String(), "; ")+" // "+name, nil
	}
}

// vex is the prefix C4 of VEX for registers whose bits 3 are r, x and b, and a further one, v.
func (c coding) vex(r, x, b bool, v byte) []byte {
	return []byte{
		0xc4, 0xe2 &^ (bit(r)<<7 | bit(x)<<6 | bit(b)<<5), (^v&15)<<3 | c.prefix, c.opcode,
	}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// tiles encodes operands that are tiles, or none: the third from the end in the field of VEX, the
// second in that of memory, the last in that of a register.
func (c coding) tiles(ops []operand.Op) []byte {
	var fields [3]byte
	for k, o := range ops {
		fields[3-len(ops)+k], _ = tileNumber(o)
	}
	v, rm, r := fields[0], fields[1], fields[2]
	return append(c.vex(false, false, false, v), 0xc0|r<<3|rm)
}

// memory encodes an address and a tile, or the address alone.
func (c coding) memory(ops []operand.Op) []byte {
	var m operand.Mem
	var r byte
	for _, o := range ops {
		if n, is := tileNumber(o); is {
			r = n
		} else {
			m = o.(operand.Mem)
		}
	}
	if m.Disp != 0 {
		panic("gen: an address of a tile has no displacement")
	}
	base := number(m.Base)
	if base&7 == 5 {
		panic("gen: R13 and BP are no base without a displacement")
	}
	if m.Index == nil {
		if base&7 == 4 {
			panic("gen: R12 and SP are no base without an index")
		}
		return append(c.vex(false, false, base > 7, 0), r<<3|base&7)
	}
	index := number(m.Index)
	return append(c.vex(false, index > 7, base > 7, 0), r<<3|4, index&7<<3|base&7)
}

// vectors encodes three ZMM registers.
func (c coding) vectors(ops []operand.Op) []byte {
	rm, v, r := number(ops[0]), number(ops[1]), number(ops[2])
	return []byte{
		0x62,
		0xf2 &^ (r>>3&1<<7 | rm>>4&1<<6 | rm>>3&1<<5 | r>>4&1<<4),
		(^v&15)<<3 | 4 | c.prefix,
		0x40 | (^v>>4&1)<<3, // 512 bits
		c.opcode,
		0xc0 | r&7<<3 | rm&7,
	}
}

func number(o operand.Op) byte { return byte(o.(reg.Physical).PhysicalIndex()) }
