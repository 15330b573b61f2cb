package asm_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// instruction is a line of assembly that is one.
type instruction struct {
	at       string // file and line
	op       string
	operands []string
	comment  string
	labels   []string // that stand before it
	encoded  bool     // it was bytes
}

// function is what stands between one TEXT and the next, without data.
type function struct {
	name  string
	frame int // bytes
	body  []instruction
}

var textLine = regexp.MustCompile(`^TEXT\s+·(\w+)\(SB\),.*\$(\d+)(-\d+)?$`)

// functions reads all assembly of a package.
func functions(t *testing.T, dir string) (all []function) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.s"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly in %s: %v", dir, err)
	}
	for _, name := range files {
		fs, err := listing(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fs...)
	}
	return all
}

// listing reads one file.
func listing(name string) (all []function, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var labels []string
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		code, comment, _ := strings.Cut(lines.Text(), "//")
		code = strings.TrimSpace(code)
		at := fmt.Sprintf("%s:%d", name, n)
		switch match := textLine.FindStringSubmatch(code); {
		case match != nil:
			frame, err := strconv.Atoi(match[2])
			if err != nil {
				return nil, err
			}
			all = append(all, function{name: match[1], frame: frame})
		case strings.HasPrefix(code, "TEXT"):
			return nil, fmt.Errorf("%s: a TEXT line that is not understood: %s", at, code)
		case code == "" || code[0] == '#' ||
			strings.HasPrefix(code, "DATA ") || strings.HasPrefix(code, "GLOBL "):
		case strings.HasSuffix(code, ":"):
			labels = append(labels, strings.TrimSuffix(code, ":"))
		case len(all) == 0 || strings.ContainsAny(code, ";:") && !strings.HasPrefix(code, "BYTE"):
			return nil, fmt.Errorf("%s: a line that is not understood: %s", at, code)
		default:
			encoded := strings.HasPrefix(code, "BYTE")
			if encoded {
				if code, err = decodeLine(code); err != nil {
					return nil, fmt.Errorf("%s: %w", at, err)
				}
			}
			op, rest, _ := strings.Cut(strings.ReplaceAll(code, "\t", " "), " ")
			f := &all[len(all)-1]
			f.body = append(f.body, instruction{
				at, op, split(rest), strings.TrimSpace(comment), labels, encoded,
			})
			labels = nil
		}
	}
	return all, lines.Err()
}

// split cuts operands at the commas outside brackets.
func split(s string) (operands []string) {
	depth, from := 0, 0
	for i, c := range s + "," {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if operand := strings.TrimSpace(s[from:i]); depth == 0 {
				if operand != "" {
					operands = append(operands, operand)
				}
				from = i + 1
			}
		}
	}
	return operands
}

func (i instruction) String() string {
	return i.at + ": " + i.op + " " + strings.Join(i.operands, ", ")
}

// last is the last operand, which an instruction of Go's assembler writes, or "".
func (i instruction) last() string {
	if len(i.operands) == 0 {
		return ""
	}
	return i.operands[len(i.operands)-1]
}

var register = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*\b|\bg\b`)

// registers are the names in operands that could be registers.
func (i instruction) registers() []string {
	return register.FindAllString(strings.Join(i.operands, " "), -1)
}
