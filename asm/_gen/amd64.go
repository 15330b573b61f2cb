package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// amd64 is AVX2 with FMA (lanes = 8, two registers a block) or AVX-512 (lanes = 16, one).
// Constants are memory operands, which AVX-512 broadcasts as it reads them, or holds in registers.
type amd64 struct {
	pkg     string
	lanes   int
	stubs   []stub
	files   []amd64File
	c       *build.Context
	data    map[string]operand.Mem
	labels  int
	maskAt  reg.GPVirtual // AVX2: address of the masks, nil outside a tail
	mask    reg.Register  // AVX-512: the mask, nil outside a tail
	left    gp            // AVX2: the number of elements of a tail
	scratch operand.Mem   // AVX2: 16 bytes for the tails of byte arrays
	key     philoxKey
}

type amd64File struct {
	family string
	c      *build.Context
}

func newAMD64(pkg string, lanes int) *amd64 { return &amd64{pkg: pkg, lanes: lanes} }

func (a *amd64) wide() bool { return a.lanes == blockLen }
func (a *amd64) parts() int { return blockLen / a.lanes }

func (a *amd64) file(family string) {
	a.c = build.NewContext()
	a.files = append(a.files, amd64File{family, a.c})
	a.data = map[string]operand.Mem{}
}

func (a *amd64) close(dir string) ([]stub, error) {
	for _, f := range a.files {
		file, err := f.c.Result()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.family, err)
		}
		for _, f := range file.Functions() {
			f.Nodes = a.scheduler().run(f.Nodes)
		}
		if err := pass.Compile.Execute(file); err != nil {
			return nil, fmt.Errorf("%s: %w", f.family, err)
		}
		for _, f := range file.Functions() {
			encodeAll(f.Nodes)
		}
		text, err := printer.NewGoAsm(printer.Config{Name: "_gen", Pkg: a.pkg}).Print(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.family, err)
		}
		if r := evexOnly.Find(text); r != nil && !a.wide() {
			return nil, fmt.Errorf("%s: register %s: AVX2 has 16", f.family, r)
		}
		if err := os.WriteFile(filepath.Join(dir, f.family+"_amd64.s"), text, 0o644); err != nil {
			return nil, err
		}
	}
	return a.stubs, nil
}

// evexOnly matches registers that AVX2 does not have: avo may allocate them, and Go's assembler
// then silently uses the AVX-512 encoding.
var evexOnly = regexp.MustCompile(`\b[XYZ](1[6-9]|[23][0-9])\b`)

func (a *amd64) begin(name, signature, doc string) {
	a.stubs = append(a.stubs, stub{name, signature, doc})
	a.c.Function(name)
	a.c.Doc(name + " is " + doc + ".")
	a.c.SignatureExpr(signature)
	a.labels = 0
	a.scratch = operand.Mem{}
}

func (a *amd64) end() {
	a.c.VZEROUPPER()
	a.c.RET()
}

// reg is a new vector register of full width.
func (a *amd64) reg() reg.VecVirtual {
	if a.wide() {
		return a.c.ZMM()
	}
	return a.c.YMM()
}

// constant is a memory operand whose 32-bit words are w, repeated to fill what the machine reads.
func (a *amd64) constant(words ...uint32) operand.Mem {
	if len(words) == 1 && !a.wide() {
		for len(words) < a.lanes {
			words = append(words, words[0])
		}
	}
	key := fmt.Sprintf("%x", words)
	m, ok := a.data[key]
	if !ok {
		m = a.c.StaticGlobal(fmt.Sprintf("const%d", len(a.data)))
		a.c.DataAttributes(attr.RODATA | attr.NOPTR)
		for i, w := range words {
			a.c.AddDatum(4*i, operand.U32(w))
		}
		a.data[key] = m
	}
	return m
}

// konstInt is in memory. For AVX-512 it is in a register, except in the noise kernels, which need
// all registers for other values.
func (a *amd64) konstInt(u uint32) vec {
	m := a.constant(u)
	if a.wide() && a.files[len(a.files)-1].family != "noise" {
		return vec{a.inReg(m)}
	}
	return vec{m}
}

func (a *amd64) konst(f float32) vec { return a.konstInt(math.Float32bits(f)) }

func (a *amd64) table(t [8]uint32) part {
	words := t[:]
	if a.wide() {
		words = append(words, words...)
	}
	r := a.reg()
	a.c.VMOVUPS(a.constant(words...), r)
	return r
}

// inReg is p in a register: constants are loaded.
func (a *amd64) inReg(p part) reg.VecVirtual {
	m, ok := p.(operand.Mem)
	if !ok {
		return p.(reg.VecVirtual)
	}
	r := a.reg()
	if a.wide() {
		a.c.VBROADCASTSS(m, r)
	} else {
		a.c.VMOVUPS(m, r)
	}
	return r
}

// Arguments.

func (a *amd64) base(param string) gp    { return a.c.Load(a.c.Param(param).Base(), a.c.GP64()) }
func (a *amd64) length(param string) gp  { return a.c.Load(a.c.Param(param).Len(), a.c.GP64()) }
func (a *amd64) integer(param string) gp { return a.c.Load(a.c.Param(param), a.c.GP64()) }

// float is the argument in memory, where it takes no register: AVX-512 broadcasts it when it reads
// it, and for AVX2 the frame holds a copy of it in all lanes.
func (a *amd64) float(param string) vec {
	p, err := a.c.Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	r := a.reg()
	a.c.VBROADCASTSS(p.Addr, r)
	if a.wide() {
		slot := a.c.AllocLocal(8) // frames are multiples of eight
		a.c.VMOVSS(r.AsX(), slot)
		return vec{slot}
	}
	slot := a.c.AllocLocal(4 * a.lanes)
	a.c.VMOVUPS(r, slot)
	return vec{slot}
}

func (a *amd64) resultInt(v gp) {
	a.c.Store(a.copyGP(v).(reg.Register), a.c.ReturnIndex(0))
}

func (a *amd64) resultInts(lo, hi part) {
	for i, p := range []part{lo, hi} {
		r := a.c.GP32()
		a.c.VMOVD(p.(reg.VecVirtual).AsX(), r)
		a.c.Store(r, a.c.ReturnIndex(i))
	}
}

// General registers.

func (a *amd64) zero() gp {
	r := a.c.GP64()
	a.c.XORQ(r, r)
	return r
}

func (a *amd64) counter(x gp) gp {
	m := a.c.AllocLocal(8)
	a.c.MOVQ(x.(operand.Op), m)
	return m
}

func (a *amd64) copyGP(x gp) gp {
	r := a.c.GP64()
	a.c.MOVQ(x.(operand.Op), r)
	return r
}

func (a *amd64) moveGP(dst, src gp) { a.c.MOVQ(src.(operand.Op), dst.(operand.Op)) }

func (a *amd64) addImm(x gp, n int) {
	if n < 0 {
		a.c.SUBQ(operand.U32(-n), x.(operand.Op))
		return
	}
	a.c.ADDQ(operand.U32(n), x.(operand.Op))
}

func (a *amd64) addScaled(x, n gp, scale int) {
	r := x.(reg.Register)
	a.c.LEAQ(operand.Mem{Base: r, Index: n.(reg.Register), Scale: uint8(scale)}, r)
}

func (a *amd64) subFrom(x, y gp)   { a.c.SUBQ(y.(operand.Op), x.(operand.Op)) }
func (a *amd64) mulGP(x, y gp)     { a.c.IMULQ(y.(operand.Op), x.(operand.Op)) }
func (a *amd64) shrGP(x gp, n int) { a.c.SHRQ(operand.Imm(uint64(n)), x.(operand.Op)) }

func (a *amd64) load64(p gp, off int) gp {
	r := a.c.GP64()
	a.c.MOVQ(at(p, off), r)
	return r
}

func at(p gp, off int) operand.Mem { return operand.Mem{Base: p.(reg.Register), Disp: off} }

func (a *amd64) label(name string) { a.c.Label(name) }
func (a *amd64) jump(name string)  { a.c.JMP(operand.LabelRef(name)) }

func (a *amd64) fresh(name string) string {
	a.labels++
	return fmt.Sprintf("%s%d", name, a.labels)
}

func (a *amd64) branch(x gp, r relation, n int, to string) {
	if _, mem := x.(operand.Mem); n == 0 && !mem {
		a.c.TESTQ(x.(operand.Op), x.(operand.Op))
	} else {
		a.c.CMPQ(x.(operand.Op), operand.U32(n))
	}
	jump := map[relation]func(operand.Op){
		equal: a.c.JEQ, notEqual: a.c.JNE, less: a.c.JLT, greaterEqual: a.c.JGE,
	}[r]
	jump(operand.LabelRef(to))
}
