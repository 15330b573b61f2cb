package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"path/filepath"
	"strings"
)

// neon is arm64 with its vectors of four lanes. Go's assembler lacks most of their
// instructions, so these are written as words; all else is in its language.
type neon struct {
	stubs []stub
	files []*neonFile
	f     *neonFunction
}

// neonFile is a file: its functions, and the constants they share.
type neonFile struct {
	family string
	text   strings.Builder
	words  [][4]uint32
	places map[[4]uint32]int
}

// neonFunction is the function being written.
type neonFunction struct {
	armCode
	params map[string]neonParam
	size   int // bytes of arguments and result
	konsts map[[4]uint32]*armValue
	head   []armInstr // loads of constants
	labels int
	left   *armValue // elements of a tail, nil outside
	frame  *armValue // address of the frame
	key    neonKey
}

type neonParam struct {
	offset, size int
}

func newNEON() *neon { return &neon{} }

func (a *neon) parts() int { return blockLen / 4 }

func (a *neon) file(family string) {
	a.files = append(a.files, &neonFile{family: family, places: map[[4]uint32]int{}})
}

func (f *neonFile) offset(words [4]uint32) int {
	at, ok := f.places[words]
	if !ok {
		at = 16 * len(f.words)
		f.places[words] = at
		f.words = append(f.words, words)
	}
	return at
}

func (a *neon) close(dir string) ([]stub, error) {
	for _, f := range a.files {
		var b strings.Builder
		b.WriteString(header + "#include \"textflag.h\"\n")
		name := f.family + "Consts<>"
		for i, words := range f.words {
			b.WriteString("\n")
			for k := range 2 {
				fmt.Fprintf(
					&b, "DATA %s+%d(SB)/8, $0x%08x%08x\n", name, 16*i+8*k, words[2*k+1], words[2*k],
				)
			}
		}
		if len(f.words) > 0 {
			fmt.Fprintf(&b, "\nGLOBL %s(SB), RODATA|NOPTR, $%d\n", name, 16*len(f.words))
		}
		b.WriteString(f.text.String())
		path := filepath.Join(dir, f.family+"_arm64.s")
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			return nil, err
		}
	}
	return a.stubs, nil
}

func (a *neon) begin(name, signature, doc string) {
	a.stubs = append(a.stubs, stub{name, signature, doc})
	a.f = &neonFunction{
		params: map[string]neonParam{}, konsts: map[[4]uint32]*armValue{},
		frame: &armValue{fixed: true, reg: frameReg},
	}
	expr, err := parser.ParseExpr(signature)
	if err != nil {
		panic(err)
	}
	f := expr.(*ast.FuncType)
	a.f.place(f.Params)
	if f.Results != nil {
		a.f.size = (a.f.size + 7) &^ 7
		a.f.place(f.Results)
	}
}

// place puts parameters behind those that have a place.
func (f *neonFunction) place(list *ast.FieldList) {
	for _, field := range list.List {
		size, align := 24, 8 // a slice
		if id, ok := field.Type.(*ast.Ident); ok {
			size = map[string]int{
				"int": 8, "uint64": 8, "int32": 4, "uint32": 4, "float32": 4, "float64": 8,
			}[id.Name]
			align = size
		}
		names := []string{"ret"}
		if field.Names != nil {
			names = nil
			for _, n := range field.Names {
				names = append(names, n.Name)
			}
		}
		for _, n := range names {
			f.size = (f.size + align - 1) &^ (align - 1)
			f.params[n] = neonParam{f.size, size}
			f.size += size
		}
	}
}

// end writes the function: the addresses it needs come first, then its constants.
func (a *neon) end() {
	f, file := a.f, a.files[len(a.files)-1]
	a.text("RET")
	f.instrs = append(f.head, f.instrs...)
	f.allocate()
	stack, flags := f.scratch+16*f.slots, "NOSPLIT"
	if stack > 0 {
		flags = "0"
	}
	t := &file.text
	s := a.stubs[len(a.stubs)-1]
	fmt.Fprintf(t, "\n// %s%s\n//\n// %s is %s.\nTEXT ·%s(SB), %s, $%d-%d\n",
		"func "+s.name, s.signature[len("func"):], s.name, s.doc, s.name, flags, stack, f.size)
	if stack > 0 {
		fmt.Fprintf(t, "\tMOVD $frame-%d(SP), R%d\n", stack, frameReg)
	}
	if len(f.konsts) > 0 {
		fmt.Fprintf(t, "\tMOVD $%sConsts<>(SB), R%d\n", file.family, constReg)
	}
	t.WriteString(f.write(file.offset))
}

// Arguments of instructions.

func out(field byte, v any) armArg { return armArg{field: field, v: v.(*armValue), wrote: true} }
func in(field byte, v any) armArg  { return armArg{field: field, v: v.(*armValue), reads: true} }
func both(field byte, v any) armArg {
	return armArg{field: field, v: v.(*armValue), reads: true, wrote: true}
}

func newGP() *armValue     { return &armValue{} }
func newVector() *armValue { return &armValue{class: vector} }

func (a *neon) text(text string, args ...armArg) { a.f.add(armInstr{text: text, args: args}) }

func (a *neon) code(f *armForm, imm int, args ...armArg) {
	a.f.add(armInstr{form: f, imm: imm, args: args})
}

// constant is the vector of four words, loaded before all else.
func (a *neon) constant(words [4]uint32) *armValue {
	v, ok := a.f.konsts[words]
	if !ok {
		v = newVector()
		v.words = &words
		a.f.konsts[words] = v
		a.f.head = append(
			a.f.head,
			armInstr{
				form: loadQ, words: &words,
				args: []armArg{out('D', v), in('N', &armValue{fixed: true, reg: constReg})},
			},
		)
	}
	return v
}

// param names an argument in memory; part is "", "_base" or "_len".
func (a *neon) param(name, part string) string {
	p, ok := a.f.params[name]
	if !ok {
		panic("no parameter " + name)
	}
	at := p.offset
	if part == "_len" {
		at += 8
	}
	return fmt.Sprintf("%s%s+%d(FP)", name, part, at)
}

func (a *neon) fromParam(move, param string) *armValue {
	r := newGP()
	a.text(move+" "+param+", %D", out('D', r))
	return r
}

func (a *neon) base(param string) gp   { return a.fromParam("MOVD", a.param(param, "_base")) }
func (a *neon) length(param string) gp { return a.fromParam("MOVD", a.param(param, "_len")) }

func (a *neon) integer(param string) gp {
	if a.f.params[param].size == 4 {
		return a.fromParam("MOVWU", a.param(param, ""))
	}
	return a.fromParam("MOVD", a.param(param, ""))
}

func (a *neon) float(param string) vec {
	s := newVector()
	a.text("FMOVS "+a.param(param, "")+", %D", out('D', s))
	return a.spread(s)
}

func (a *neon) resultInt(v gp) { a.text("MOVD %N, "+a.param("ret", ""), in('N', v)) }

func (a *neon) resultInts(lo, hi part) {
	a.text("FMOVS %N, "+a.param("lo", ""), in('N', lo))
	a.text("FMOVS %N, "+a.param("hi", ""), in('N', hi))
}

// General registers.

func (a *neon) zero() gp {
	r := newGP()
	a.text("MOVD $0, %D", out('D', r))
	return r
}

func (a *neon) counter(x gp) gp { return x }

func (a *neon) copyGP(x gp) gp {
	r := newGP()
	a.moveGP(r, x)
	return r
}

func (a *neon) moveGP(dst, src gp) { a.text("MOVD %N, %D", out('D', dst), in('N', src)) }

func (a *neon) addImm(x gp, n int) {
	if n < 0 {
		a.text(fmt.Sprintf("SUB $%d, %%D", -n), both('D', x))
		return
	}
	a.text(fmt.Sprintf("ADD $%d, %%D", n), both('D', x))
}

var scales = map[int]string{1: "%N", 4: "%N<<2", 8: "%N<<3"}

func (a *neon) addScaled(x, n gp, scale int) {
	a.text("ADD "+scales[scale]+", %D", both('D', x), in('N', n))
}

func (a *neon) subFrom(x, y gp) { a.text("SUB %N, %D", both('D', x), in('N', y)) }
func (a *neon) mulGP(x, y gp)   { a.text("MUL %N, %D", both('D', x), in('N', y)) }

func (a *neon) shrGP(x gp, n int) { a.text(fmt.Sprintf("LSR $%d, %%D", n), both('D', x)) }

func (a *neon) load64(p gp, off int) gp {
	r := newGP()
	a.text(fmt.Sprintf("MOVD %d(%%N), %%D", off), out('D', r), in('N', p))
	return r
}

func (a *neon) label(name string) { a.f.add(armInstr{label: name}) }
func (a *neon) jump(name string)  { a.f.add(armInstr{text: "B " + name, to: name}) }

func (a *neon) fresh(name string) string {
	a.f.labels++
	return fmt.Sprintf("%s%d", name, a.f.labels)
}

func (a *neon) branch(x gp, r relation, n int, to string) {
	if zero, ok := map[relation]string{equal: "CBZ", notEqual: "CBNZ"}[r]; ok && n == 0 {
		a.f.add(armInstr{text: zero + " %N, " + to, to: to, args: []armArg{in('N', x)}})
		return
	}
	a.text(fmt.Sprintf("CMP $%d, %%N", n), in('N', x))
	when := map[relation]string{equal: "BEQ", notEqual: "BNE", less: "BLT", greaterEqual: "BGE"}[r]
	a.f.add(armInstr{text: when + " " + to, to: to})
}
