package asm_test

import (
	"encoding/binary"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// amd64 and arm64 are the packages of assembly.
var amd64, arm64 = packagesOf("amd64"), packagesOf("arm64")

// packagesOf lists the packages of assembly for an architecture: those with stubs for it.
func packagesOf(arch string) (dirs []string) {
	files, err := filepath.Glob(filepath.Join("*", "stubs_"+arch+".go"))
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f))
	}
	return dirs
}

// lists turns words by key into keys by word.
func lists(words map[string]string) map[string]string {
	keys := map[string]string{}
	for key, s := range words {
		for _, w := range strings.Fields(s) {
			keys[w] = key
		}
	}
	return keys
}

// eachInstruction calls f for all instructions of the packages, with the one before in the same
// function.
func eachInstruction(
	t *testing.T, dirs []string, f func(t *testing.T, dir string, before, i instruction),
) {
	for _, dir := range dirs {
		t.Run(dir, func(t *testing.T) {
			for _, fn := range functions(t, dir) {
				var before instruction
				for _, i := range fn.body {
					f(t, dir, before, i)
					before = i
				}
			}
		})
	}
}

// TestAMD64Rules: R14 and BP belong to the Go runtime, the stack pointer stays where it is, code
// leaves only by RET, with the upper halves of the vector registers cleared.
func TestAMD64Rules(t *testing.T) {
	reserved := regexp.MustCompile(`^(R14[BWL]?|[RE]?BP|BPB)$`)
	eachInstruction(t, amd64, func(t *testing.T, _ string, before, i instruction) {
		if slices.ContainsFunc(i.registers(), reserved.MatchString) {
			t.Errorf("%s: uses a register of the runtime", i)
		}
		if op := i.op; i.last() == "SP" || strings.HasPrefix(op, "PUSH") ||
			strings.HasPrefix(op, "POP") {
			t.Errorf("%s: moves the stack pointer", i)
		}
		if strings.HasPrefix(i.op, "CALL") ||
			i.op == "JMP" && strings.ContainsAny(i.last(), "()·") {
			t.Errorf("%s: leaves the function otherwise than by RET", i)
		}
		if i.op == "RET" && (before.op != "VZEROUPPER" || len(i.labels) > 0) {
			t.Errorf("%s: VZEROUPPER does not stand directly before it", i)
		}
	})
	for _, dir := range amd64 {
		for _, f := range functions(t, dir) {
			if len(f.body) == 0 || f.body[len(f.body)-1].op != "RET" {
				t.Errorf("%s.%s does not end with RET", dir, f.name)
			}
		}
	}
}

// TestAVX2Registers: no ZMM register, no mask, no register or suffix that only AVX-512 encodes.
func TestAVX2Registers(t *testing.T) {
	vector := regexp.MustCompile(`^([XYZ])(\d+)$|^K[0-7]$`)
	eachInstruction(t, []string{"avx2"}, func(t *testing.T, _ string, _, i instruction) {
		for _, r := range i.registers() {
			m := vector.FindStringSubmatch(r)
			if m != nil && (m[1] == "" || m[1] == "Z" || len(m[2]) > 1 && m[2] > "15") {
				t.Errorf("%s: %s is a register of AVX-512", i, r)
			}
		}
		if strings.Contains(i.op, ".") {
			t.Errorf("%s: the suffix is one of AVX-512", i)
		}
	})
}

// implied are the features that a CPU with another one has.
var implied = map[string][]string{"AVX2": {"AVX"}}

// TestGuards: package kernel chooses a path only if the CPU has every feature whose instructions
// the path contains, and VL where an AVX-512 encoding has fewer than 512 bits.
func TestGuards(t *testing.T) {
	guards := guardsOf(t, "amd64")
	var dirs []string
	for _, dir := range amd64 {
		if len(guards[dir]) > 0 {
			dirs = append(dirs, dir)
		} else {
			t.Errorf("%s: package kernel does not choose it by features of the CPU", dir)
		}
	}
	reported := map[string]bool{} // each lack once, not for every instruction that shows it
	first := func(dir, what string) bool {
		seen := reported[dir+what]
		reported[dir+what] = true
		return !seen
	}
	narrow := regexp.MustCompile(`^[XY]\d+$`)
	high := regexp.MustCompile(`^[XYZ](1[6-9]|2\d|3[01])$`)
	bitwise := regexp.MustCompile(`^V(AND|ANDN|OR|XOR)P[SD]$`)
	eachInstruction(t, dirs, func(t *testing.T, dir string, _, i instruction) {
		op, suffix, _ := strings.Cut(i.op, ".")
		feature, known := features[op]
		if !known {
			if first(dir, op) {
				t.Errorf("%s: add to features_test.go which feature of a CPU this needs", i)
			}
			return
		}
		needs := []string{feature}
		regs := i.registers()
		evex := suffix != "" || strings.HasPrefix(feature, "AVX512") ||
			slices.ContainsFunc(regs, high.MatchString) ||
			slices.ContainsFunc(
				regs, func(r string) bool { return r[0] == 'K' || r[0] == 'Z' && len(r) > 1 },
			)
		if evex {
			needs = append(needs, "AVX512F")
			if bitwise.MatchString(op) {
				needs = append(needs, "AVX512DQ") // the logic of floats, as AVX-512 encodes it
			}
		}
		wide := slices.ContainsFunc(regs, func(r string) bool { return r[0] == 'Z' })
		if evex && !wide && slices.ContainsFunc(regs, narrow.MatchString) {
			needs = append(needs, "AVX512VL")
		}
		for _, need := range needs {
			if need != "" && !slices.Contains(guards[dir], need) && first(dir, need) {
				t.Errorf(
					"%s: needs %s, but package kernel asks for %v before it runs %s", i, need,
					guards[dir], dir,
				)
			}
		}
	})
}

// TestNEONEncodings: every instruction that is written as a number, since Go's assembler has no
// name for it, is the one that its comment names.
func TestNEONEncodings(t *testing.T) {
	words := 0
	eachInstruction(t, arm64, func(t *testing.T, _ string, _, i instruction) {
		if i.op != "WORD" {
			return
		}
		words++
		if got, err := decode(i); err != nil {
			t.Errorf("%s: %v", i, err)
		} else if got != i.comment {
			t.Errorf("%s is %q, but its comment says %q", i, got, i.comment)
		}
	})
	if words == 0 {
		t.Error("no WORD was found")
	}
}

// decode is the instruction in a WORD as GNU's assembler writes it.
func decode(i instruction) (string, error) {
	w, err := strconv.ParseUint(strings.TrimPrefix(i.last(), "$"), 0, 32)
	if err != nil {
		return "", err
	}
	inst, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(w)))
	if err != nil {
		return "", err
	}
	return arm64asm.GNUSyntax(inst), nil
}

// TestARM64Rules: R18 belongs to the platform; R26 to R30 are for the linker, the assembler, the
// goroutine, the frame and the return address; the stack pointer stays where it is.
func TestARM64Rules(t *testing.T) {
	reserved := regexp.MustCompile(`^(R18(_PLATFORM)?|R2[6-9]|R30|g|LR)$`)
	encoded := regexp.MustCompile(`\b([xw](18|2[6-9]|30)|sp|wsp)\b`)
	eachInstruction(t, arm64, func(t *testing.T, _ string, _, i instruction) {
		if i.op == "WORD" {
			if got, err := decode(i); err != nil || encoded.MatchString(got) {
				t.Errorf("%s (%s): uses a register that is not ours, or is none: %v", i, got, err)
			}
			return
		}
		if slices.ContainsFunc(i.registers(), reserved.MatchString) {
			t.Errorf("%s: uses a register that is not ours", i)
		}
		if i.last() == "RSP" ||
			strings.HasSuffix(i.op, ".W") &&
				strings.Contains(strings.Join(i.operands, " "), "(RSP)") ||
			strings.HasSuffix(i.op, ".P") &&
				strings.Contains(strings.Join(i.operands, " "), "(RSP)") {
			t.Errorf("%s: moves the stack pointer", i)
		}
		if i.op == "BL" || i.op == "CALL" ||
			(i.op == "B" || i.op == "JMP") && strings.ContainsAny(i.last(), "()·") {
			t.Errorf("%s: leaves the function otherwise than by RET", i)
		}
	})
}

// stubs reads the signatures that a package declares for its assembly, by name.
func stubs(t *testing.T, file string) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if f.Body != nil || f.Recv != nil {
			t.Errorf("%s: %s is not a stub", file, f.Name.Name)
		}
		if f.Doc == nil ||
			!slices.ContainsFunc(
				f.Doc.List,
				func(c *ast.Comment) bool { return c.Text == "//go:noescape" },
			) {
			t.Errorf(
				"%s: %s lacks go:noescape: its arguments would be allocated", file, f.Name.Name,
			)
		}
		var b strings.Builder
		if err := printer.Fprint(&b, fset, f.Type); err != nil {
			t.Fatal(err)
		}
		all[f.Name.Name] = b.String()
	}
	return all
}

// TestStubs: each package declares the functions it has, and all paths declare the same.
func TestStubs(t *testing.T) {
	first := stubs(t, filepath.Join("avx2", "stubs_amd64.go"))
	for _, dir := range slices.Concat(amd64, arm64) {
		arch := "amd64"
		if slices.Contains(arm64, dir) {
			arch = "arm64"
		}
		t.Run(dir, func(t *testing.T) {
			declared := stubs(t, filepath.Join(dir, "stubs_"+arch+".go"))
			if _, path := candidates(t, arch)[dir]; path && !maps.Equal(declared, first) {
				t.Errorf("declares\n%v\nwhere avx2 declares\n%v", declared, first)
			}
			written := map[string]int{}
			for _, f := range functions(t, dir) {
				written[f.name]++
				if written[f.name] > 1 || declared[f.name] == "" {
					t.Errorf(
						"%s is written %d times and declared as %q", f.name, written[f.name],
						declared[f.name],
					)
				}
			}
			for name := range declared {
				if written[name] == 0 {
					t.Errorf("%s is declared but not written", name)
				}
			}
		})
	}
}
