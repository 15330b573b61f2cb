package asm_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Instructions that Go's assembler has no name for are bytes in the listings of amd64. They are
// decoded here by the tables of Intel's Software Developer's Manual, volume 2, for no package
// decodes them; everything else then reads what the bytes mean.

// form is the fields of an encoding by which instructions differ: the prefix (0 none, 2 F3, 3 F2),
// the opcode in the map 0F38, whether the prefix is that of EVEX, and whether there is an address.
type form struct {
	prefix, opcode byte
	evex, address  bool
}

// forms are the instructions by their fields, and how their operands are written, last what is
// written: v is the register of the prefix, r and m those of the byte behind the opcode, m an
// address there.
var forms = map[form]string{
	{0, 0x49, false, true}:  "LDTILECFG m",
	{0, 0x49, false, false}: "TILERELEASE",
	{3, 0x49, false, false}: "TILEZERO r",
	{3, 0x4b, false, true}:  "TILELOADD m, r",
	{2, 0x4b, false, true}:  "TILESTORED r, m",
	{2, 0x5c, false, false}: "TDPBF16PS v, m, r",
	{2, 0x52, true, false}:  "VDPBF16PS m, v, r",
	{3, 0x72, true, false}:  "VCVTNE2PS2BF16 m, v, r",
}

// general are the names of general registers by number.
var general = strings.Fields("AX CX DX BX SP BP SI DI R8 R9 R10 R11 R12 R13 R14 R15")

// encoding is the fields of an instruction: registers of the prefix (v), of the byte behind the
// opcode (r, m), and where that means an address, its base, index and scale.
type encoding struct {
	form
	r, v, m, base, index, scale byte
}

var errEncoding = errors.New("an encoding that is not understood")

// parse reads the fields.
func parse(code []byte) (e encoding, err error) {
	var r, x, b byte // further bits of registers
	var rest []byte
	switch {
	case len(code) >= 5 && code[0] == 0xc4 && code[1]&31 == 2 && code[2]&0x84 == 0:
		// VEX: RXB.map, W.v.L.prefix, all registers inverted
		r, x, b = ^code[1]>>7&1<<3, ^code[1]>>6&1<<3, ^code[1]>>5&1<<3
		e.form, e.v, rest = form{prefix: code[2] & 3, opcode: code[3]}, ^code[2]>>3&15, code[4:]
	case len(code) == 6 && code[0] == 0x62 && code[1]&15 == 2 && code[2]&0x84 == 4 &&
		code[3]&^8 == 0x40 && code[5]>>6 == 3:
		// EVEX: RXBR'.map, W.v.1.prefix, z.L'L.b.V'.mask: 512 bits, no mask, no address
		r = ^code[1]>>7&1<<3 | ^code[1]>>4&1<<4
		b = ^code[1]>>5&1<<3 | ^code[1]>>6&1<<4
		e.form, e.v = form{prefix: code[2] & 3, opcode: code[4], evex: true}, ^code[2]>>3&15
		e.v |= ^code[3] >> 3 & 1 << 4
		rest = code[5:]
	default:
		return e, errEncoding
	}
	mode, last := rest[0]>>6, rest[0]&7
	e.r, e.m, e.base, e.address = r|rest[0]>>3&7, b|last, b|last, mode != 3
	switch rest = rest[1:]; {
	case !e.address:
		if x != 0 || len(rest) > 0 {
			return e, errEncoding
		}
	case mode != 0 || last == 5: // a displacement
		return e, errEncoding
	case last == 4:
		if len(rest) != 1 || rest[0]&7 == 5 || x|rest[0]>>3&7 == 4 {
			return e, errEncoding
		}
		e.base, e.index, e.scale = b|rest[0]&7, x|rest[0]>>3&7, 1<<(rest[0]>>6)
	case len(rest) > 0 || x != 0:
		return e, errEncoding
	}
	return e, nil
}

// decodeLine is the instruction in a line of BYTE directives, in the syntax of Go's assembler.
func decodeLine(line string) (string, error) {
	var code []byte
	for part := range strings.SplitSeq(line, ";") {
		value, ok := strings.CutPrefix(strings.TrimSpace(part), "BYTE $")
		b, err := strconv.ParseUint(value, 0, 8)
		if !ok || err != nil {
			return "", fmt.Errorf("%q is no byte", part)
		}
		code = append(code, byte(b))
	}
	return decodeBytes(code)
}

func decodeBytes(code []byte) (string, error) {
	e, err := parse(code)
	if err != nil {
		return "", err
	}
	written, ok := forms[e.form]
	if !ok {
		return "", fmt.Errorf("no instruction that is known: %+v", e.form)
	}
	name, operands, _ := strings.Cut(written, " ")
	kind := "T"
	if e.evex {
		kind = "Z"
	}
	fields := map[string]string{}
	for field, number := range map[string]byte{"v": e.v, "r": e.r, "m": e.m} {
		fields[field] = kind + strconv.Itoa(int(number))
	}
	if e.address {
		fields["m"] = "(" + general[e.base] + ")"
		if e.scale > 0 {
			fields["m"] += fmt.Sprintf("(%s*%d)", general[e.index], e.scale)
		}
		if (name != "LDTILECFG") != (e.scale > 0) { // the rows of a tile are a register apart
			return "", errEncoding
		}
	}
	used := split(operands)
	for i, o := range used {
		used[i] = fields[o]
		delete(fields, o)
	}
	for o, value := range fields {
		if value != kind+"0" {
			return "", fmt.Errorf("operand %s is %s, but %s has none", o, value, name)
		}
	}
	return strings.TrimSpace(name + " " + strings.Join(used, ", ")), checkTiles(name, used)
}

// checkTiles: there are eight tiles, and a product's are three different ones.
func checkTiles(name string, operands []string) error {
	seen := map[string]bool{}
	for _, o := range operands {
		if o[0] == 'T' {
			if len(o) != 2 || o[1] > '7' {
				return fmt.Errorf("%s: there is no tile %s", name, o)
			}
			if seen[o] {
				return fmt.Errorf("%s: tile %s is there twice", name, o)
			}
			seen[o] = true
		}
	}
	return nil
}

// TestAMD64Encodings: what is written as bytes is the instruction that the generator meant, which
// its comment names.
func TestAMD64Encodings(t *testing.T) {
	found := map[string]bool{}
	eachInstruction(t, amd64, func(t *testing.T, _ string, _, i instruction) {
		if !i.encoded {
			return
		}
		found[i.op] = true
		got := strings.TrimSpace(i.op + " " + strings.Join(i.operands, ", "))
		if got != i.comment {
			t.Errorf("%s is %q, but its comment says %q", i.at, got, i.comment)
		}
	})
	for _, name := range forms {
		if op := strings.Fields(name)[0]; !found[op] {
			t.Errorf("no %s was found", op)
		}
	}
}

// TestDecodeBytes holds the decoder to encodings that ran on a CPU with AMX, to some of Intel's
// examples of each field, and to bytes that are wrong.
func TestDecodeBytes(t *testing.T) {
	for code, want := range map[string]string{
		"c4 e2 78 49 00":    "LDTILECFG (AX)",
		"c4 e2 78 49 c0":    "TILERELEASE",
		"c4 e2 7b 49 d8":    "TILEZERO T3",
		"c4 e2 7b 4b 24 08": "TILELOADD (AX)(CX*1), T4",
		"c4 c2 7b 4b 2c 08": "TILELOADD (R8)(CX*1), T5",
		"c4 a2 7b 4b 34 0b": "TILELOADD (BX)(R9*1), T6",
		"c4 a2 7b 4b 3c 0e": "TILELOADD (SI)(R9*1), T7",
		"c4 e2 7a 4b 04 08": "TILESTORED T0, (AX)(CX*1)",
		"c4 c2 7a 4b 0c 08": "TILESTORED T1, (R8)(CX*1)",
		"c4 e2 4a 5c c4":    "TDPBF16PS T6, T4, T0",
		"c4 e2 42 5c cc":    "TDPBF16PS T7, T4, T1",
		"c4 e2 4a 5c d5":    "TDPBF16PS T6, T5, T2",
		"c4 e2 42 5c dd":    "TDPBF16PS T7, T5, T3",
		"62 92 0e 40 52 c4": "VDPBF16PS Z28, Z30, Z0",
		"62 f2 6e 48 52 cb": "VDPBF16PS Z3, Z2, Z1",

		"c4 e2 7a 49 c0":       "", // another prefix
		"c4 e1 78 49 c0":       "", // another map
		"c4 e2 f8 49 c0":       "", // wide
		"c4 e2 7c 49 c0":       "", // 256 bits
		"c4 e2 70 49 c0":       "", // a third operand
		"c4 e2 78 49 c8":       "", // a register
		"c4 e2 78 49 05":       "", // no base
		"c4 e2 7b 4b 00":       "", // no index
		"c4 e2 7b 4b 24 20":    "", // likewise
		"c4 e2 7b 4b 64 08 00": "", // a displacement
		"c4 e2 7b 4b 24 0d":    "", // no base
		"c4 62 7b 49 d8":       "", // tile 11
		"c4 e2 4a 5c f4":       "", // T6 twice
		"c4 e2 78 49":          "",
		"62 f2 6e 58 52 cb":    "", // broadcast
		"62 f2 6e 49 52 cb":    "", // masked
		"62 f2 6e 28 52 cb":    "", // 256 bits
		"62 f2 6d 48 52 cb":    "", // VPDPWSSD
		"62 f2 6e 48 52 0b":    "", // an address
	} {
		var bytes []byte
		for b := range strings.FieldsSeq(code) {
			value, err := strconv.ParseUint(b, 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			bytes = append(bytes, byte(value))
		}
		got, err := decodeBytes(bytes)
		if want == "" && err == nil || want != "" && (got != want || err != nil) {
			t.Errorf("%s is %q (%v), want %q", code, got, err, want)
		}
	}
}
