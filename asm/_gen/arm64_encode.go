package main

import (
	le "encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

// armForm is a vector instruction: its word with all fields zero, and its text as a disassembler
// prints it. Registers stand in the text as D (bits 0 to 4 of the word), N (5 to 9), T (10 to 14)
// and M (16 to 20), an immediate as I; @ is ",#I", but nothing if the immediate is zero.
type armForm struct {
	word uint32
	text string
	imm  func(n int) uint32 // the immediate's place in the word, if there is one
}

var armFields = map[byte]int{'D': 0, 'N': 5, 'T': 10, 'M': 16}

func three(word uint32, name, shape string) *armForm {
	return &armForm{
		word: word, text: fmt.Sprintf("%s vD.%s, vN.%s, vM.%s", name, shape, shape, shape),
	}
}

func two(word uint32, name, to, from string) *armForm {
	return &armForm{word: word, text: fmt.Sprintf("%s vD.%s, vN.%s", name, to, from)}
}

var (
	fADD  = three(0x4e20d400, "fadd", "4s")
	fSUB  = three(0x4ea0d400, "fsub", "4s")
	fMUL  = three(0x6e20dc00, "fmul", "4s")
	fDIV  = three(0x6e20fc00, "fdiv", "4s")
	fMAX  = three(0x4e20f400, "fmax", "4s")
	fMIN  = three(0x4ea0f400, "fmin", "4s")
	fCMGT = three(0x6ea0e400, "fcmgt", "4s")
	fMLA  = three(0x4e20cc00, "fmla", "4s") // D += N*M
	fMLS  = three(0x4ea0cc00, "fmls", "4s") // D -= N*M
	iADD  = three(0x4ea08400, "add", "4s")
	iSUB  = three(0x6ea08400, "sub", "4s")
	iMUL  = three(0x4ea09c00, "mul", "4s")
	iMAX  = three(0x4ea06400, "smax", "4s")
	iMIN  = three(0x4ea06c00, "smin", "4s")
	iCMGT = three(0x4ea03400, "cmgt", "4s")
	iTEST = three(0x4ea08c00, "cmtst", "4s") // all ones where N and M share a bit
	vAND  = three(0x4e201c00, "and", "16b")
	vORR  = three(0x4ea01c00, "orr", "16b")
	vEOR  = three(0x6e201c00, "eor", "16b")
	vBSL  = three(0x6e601c00, "bsl", "16b") // bits of N where D is set, else of M

	fNEG   = two(0x6ea0f800, "fneg", "4s", "4s")
	fSQRT  = two(0x6ea1f800, "fsqrt", "4s", "4s")
	sCVTF  = two(0x4e21d800, "scvtf", "4s", "4s")
	fCVTZS = two(0x4ea1b800, "fcvtzs", "4s", "4s")

	zip1S = three(0x4e803800, "zip1", "4s")
	zip2S = three(0x4e807800, "zip2", "4s")
	zip1D = three(0x4ec03800, "zip1", "2d")
	zip2D = three(0x4ec07800, "zip2", "2d")

	swapS = two(0x4ea00800, "rev64", "4s", "4s")

	evenS = three(0x4e801800, "uzp1", "4s")
	oddS  = three(0x4e805800, "uzp2", "4s")
	evenH = three(0x4e401800, "uzp1", "8h")
	evenB = three(0x4e001800, "uzp1", "16b")

	wideBytes   = two(0x2f08a400, "uxtl", "8h", "8b")
	wideBytes2  = two(0x6f08a400, "uxtl2", "8h", "16b")
	wideHalves  = two(0x2f10a400, "uxtl", "4s", "4h")
	wideHalves2 = two(0x6f10a400, "uxtl2", "4s", "8h")

	spreadLane = two(0x4e040400, "dup", "4s", "s[0]")
	spreadGP   = &armForm{word: 0x4e040c00, text: "dup vD.4s, wN"}
	zeroVector = &armForm{word: 0x6f00e400, text: "movi vD.2d, #0x0"}
	product    = &armForm{word: 0x2ea0c000, text: "umull vD.2d, vN.2s, vM.2s"}
	product2   = &armForm{word: 0x6ea0c000, text: "umull2 vD.2d, vN.4s, vM.4s"}
	lookup2    = &armForm{
		word: 0x4e000000 | 1<<13 | tableReg<<5,
		text: fmt.Sprintf("tbl vD.16b, {v%d.16b, v%d.16b}, vM.16b", tableReg, tableReg+1),
	}

	scalarMUL  = &armForm{word: 0x1e200800, text: "fmul sD, sN, sM"}
	scalarDIV  = &armForm{word: 0x1e201800, text: "fdiv sD, sN, sM"}
	scalarSQRT = &armForm{word: 0x1e21c000, text: "fsqrt sD, sN"}
	scalarCMP  = &armForm{word: 0x1e202000, text: "fcmp sN, sM"}

	doubleMUL  = &armForm{word: 0x1e600800, text: "fmul dD, dN, dM"}
	doubleDIV  = &armForm{word: 0x1e601800, text: "fdiv dD, dN, dM"}
	doubleSQRT = &armForm{word: 0x1e61c000, text: "fsqrt dD, dN"}
	doubleCMP  = &armForm{word: 0x1e602000, text: "fcmp dN, dM"}
	widenS     = &armForm{word: 0x1e22c000, text: "fcvt dD, sN"}
	narrowD    = &armForm{word: 0x1e624000, text: "fcvt sD, dN"}
)

// The copy has its second operand twice.
var copyVector = &armForm{word: 0x4ea01c00, text: "mov vD.16b, vN.16b"}

// Forms with immediates.
var (
	shiftL = &armForm{
		0x4f000400 | 0x5000, "shl vD.4s, vN.4s, #I",
		func(n int) uint32 { return uint32(32+n) << 16 },
	}
	shiftR = &armForm{
		0x6f000400, "ushr vD.4s, vN.4s, #I", func(n int) uint32 { return uint32(64-n) << 16 },
	}
	shiftA = &armForm{
		0x4f000400, "sshr vD.4s, vN.4s, #I", func(n int) uint32 { return uint32(64-n) << 16 },
	}
	rotate = &armForm{
		0x6e000000, "ext vD.16b, vN.16b, vM.16b, #I", func(n int) uint32 { return uint32(n) << 11 },
	}

	loadQ = &armForm{
		0x3dc00000, "ldr qD, [xN@]", func(n int) uint32 { return uint32(n/16) << 10 },
	}
	storeQ = &armForm{
		0x3d800000, "str qD, [xN@]", func(n int) uint32 { return uint32(n/16) << 10 },
	}
	loadS = &armForm{
		0xbd400000, "ldr sD, [xN@]", func(n int) uint32 { return uint32(n/4) << 10 },
	}
	storeS = &armForm{
		0xbd000000, "str sD, [xN@]", func(n int) uint32 { return uint32(n/4) << 10 },
	}
	loadQs = &armForm{
		0xad400000, "ldp qD, qT, [xN@]", func(n int) uint32 { return uint32(n/16) & 0x7f << 15 },
	}
	storeQs = &armForm{
		0xad000000, "stp qD, qT, [xN@]", func(n int) uint32 { return uint32(n/16) & 0x7f << 15 },
	}
	loadSpread = &armForm{word: 0x4d40c800, text: "ld1r {vD.4s}, [xN]"}

	loadQStep      = &armForm{word: 0x3cc10400, text: "ldr qD, [xN],#16"} // then N += 16
	prefetchAt     = &armForm{word: 0xf8a06800, text: "prfm pldl1keep, [xN,xM]"}
	loadSpreadStep = &armForm{word: 0x4dc0c800, text: "ld1r {vD.4s}, [xN], xM"} // then N += M
)

// encode is the line of an instruction. The text is what was meant; a word that a disassembler
// reads otherwise is a mistake in the table above or an immediate out of range.
func (f *armForm) encode(imm int, regs map[byte]int) string {
	word := f.word
	offset := ""
	if imm != 0 {
		offset = ",#" + strconv.Itoa(imm)
	}
	text := strings.NewReplacer("I", strconv.Itoa(imm), "@", offset).Replace(f.text)
	for field, r := range regs {
		word |= uint32(r) << armFields[field]
		text = strings.Replace(text, string(field), strconv.Itoa(r), 1)
	}
	if f == copyVector {
		word |= uint32(regs['N']) << armFields['M']
	}
	if f.imm != nil {
		word |= f.imm(imm)
	}
	inst, err := arm64asm.Decode(le.LittleEndian.AppendUint32(nil, word))
	if got := arm64asm.GNUSyntax(inst); err != nil || got != text {
		panic(fmt.Sprintf("word %#08x reads as %q (%v), want %q", word, got, err, text))
	}
	return fmt.Sprintf("\tWORD $0x%08x // %s\n", word, text)
}
