package asm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// interpreter executes the few instructions of amd64 around those of tiles, and those of AVX-512
// between them, for CPUs that have no tiles. Memory is what was laid at an address; everything else
// is refused: other instructions, flags that arithmetic left, addresses outside of arrays.
type interpreter struct {
	fn        function
	labels    map[string]int
	registers map[string]uint64
	arguments map[string]uint64 // by name
	arrays    []array
	compared  *[2]int64 // the operands of the last comparison, if nothing changed the flags since
	tiles     tiles
	vectors   vectors
	steps     int // executed
}

// array is bytes from an address on, those that may be read and written.
type array struct {
	address        uint64
	data           []byte
	reads, written func(at int) bool
}

func newInterpreter(fn function, arguments map[string]uint64) *interpreter {
	m := &interpreter{
		fn: fn, labels: map[string]int{}, arguments: arguments,
		registers: map[string]uint64{"SP": 0x7000_0000},
	}
	for at, i := range fn.body {
		for _, l := range i.labels {
			m.labels[l] = at
		}
	}
	all := func(int) bool { return true }
	m.arrays = []array{{m.registers["SP"], make([]byte, fn.frame), all, all}}
	return m
}

var errAccess = errors.New("memory outside of the arguments")

// find is n bytes at an address, all of which may be used so.
func (m *interpreter) find(address uint64, n int, write bool) ([]byte, error) {
	for _, a := range m.arrays {
		at := int(address - a.address)
		if address < a.address || at > len(a.data)-n {
			continue
		}
		may := a.reads
		if write {
			may = a.written
		}
		for i := range n {
			if !may(at + i) {
				return nil, fmt.Errorf("%w: byte %d of %d", errAccess, at+i, len(a.data))
			}
		}
		return a.data[at : at+n], nil
	}
	return nil, fmt.Errorf("%w: %d bytes at %#x", errAccess, n, address)
}

var (
	argument = regexp.MustCompile(`^(\w+)\+\d+\(FP\)$`)
	place    = regexp.MustCompile(`^(\d*)\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
)

// address is that of an operand in memory.
func (m *interpreter) address(operand string) (uint64, error) {
	p := place.FindStringSubmatch(operand)
	if p == nil {
		return 0, fmt.Errorf("an operand that is not understood: %s", operand)
	}
	offset, _ := strconv.ParseUint("0"+p[1], 10, 64)
	base, ok := m.registers[p[2]]
	if !ok {
		return 0, fmt.Errorf("register %s has no value", p[2])
	}
	if p[3] == "" {
		return base + offset, nil
	}
	index, ok := m.registers[p[3]]
	if !ok {
		return 0, fmt.Errorf("register %s has no value", p[3])
	}
	scale, _ := strconv.ParseUint(p[4], 10, 64)
	return base + offset + index*scale, nil
}

// value reads an operand.
func (m *interpreter) value(operand string) (uint64, error) {
	if number, ok := strings.CutPrefix(operand, "$"); ok {
		return strconv.ParseUint(number, 0, 64)
	}
	if operand == "CL" {
		v, err := m.value("CX")
		return v & 0xff, err
	}
	if slices.Contains(general, operand) {
		if v, ok := m.registers[operand]; ok {
			return v, nil
		}
		return 0, fmt.Errorf("register %s has no value", operand)
	}
	if a := argument.FindStringSubmatch(operand); a != nil {
		if v, ok := m.arguments[a[1]]; ok {
			return v, nil
		}
		return 0, fmt.Errorf("no argument %s", a[1])
	}
	address, err := m.address(operand)
	if err != nil {
		return 0, err
	}
	word, err := m.find(address, 8, false)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(word), nil
}

// assign writes an operand.
func (m *interpreter) assign(operand string, v uint64) error {
	if slices.Contains(general, operand) {
		m.registers[operand] = v
		return nil
	}
	address, err := m.address(operand)
	if err != nil {
		return err
	}
	word, err := m.find(address, 8, true)
	if err == nil {
		binary.LittleEndian.PutUint64(word, v)
	}
	return err
}

// run executes the function.
func (m *interpreter) run() error {
	for at := 0; at < len(m.fn.body); {
		i := m.fn.body[at]
		if m.steps++; m.steps > 1<<20 {
			return fmt.Errorf("%s: it does not end", i)
		}
		if i.op == "RET" {
			if m.tiles.configured {
				return fmt.Errorf("%s: tiles are not released", i)
			}
			return nil
		}
		next, err := m.execute(i)
		if err != nil {
			return fmt.Errorf("%s: %w", i, err)
		}
		at++
		if next != "" {
			to, ok := m.labels[next]
			if !ok {
				return fmt.Errorf("%s: no such label", i)
			}
			at = to
		}
	}
	return errors.New("the function has no end")
}

// jumps are the conditions under which jumps are taken.
var jumps = map[string]func(a, b int64) bool{
	"JEQ": func(a, b int64) bool { return a == b }, "JNE": func(a, b int64) bool { return a != b },
	"JLT": func(a, b int64) bool { return a < b }, "JGE": func(a, b int64) bool { return a >= b },
}

// execute executes an instruction, and returns the label that it jumps to, or "".
func (m *interpreter) execute(i instruction) (next string, err error) {
	if condition, ok := jumps[i.op]; ok {
		if m.compared == nil {
			return "", errors.New("nothing was compared")
		}
		if condition(m.compared[0], m.compared[1]) {
			return i.last(), nil
		}
		return "", nil
	}
	if handled, err := m.tile(i); handled {
		return "", err
	}
	if handled, err := m.vector(i); handled {
		return "", err
	}
	switch i.op {
	case "JMP":
		return i.last(), nil
	case "VZEROUPPER", "PREFETCHT0", "PREFETCHT1": // which may be of any address
		return "", nil
	case "LEAQ":
		address, err := m.address(i.operands[0])
		return "", errors.Join(err, m.assign(i.last(), address))
	}
	if len(i.operands) != 2 {
		return "", errors.New("an instruction that is not understood")
	}
	if i.op == "XORQ" && i.operands[0] == i.operands[1] { // whatever it held
		m.compared = nil
		return "", m.assign(i.last(), 0)
	}
	a, err := m.value(i.operands[0])
	if err != nil {
		return "", err
	}
	if i.op == "MOVQ" {
		return "", m.assign(i.last(), a)
	}
	b, err := m.value(i.operands[1])
	if err != nil {
		return "", err
	}
	return "", m.arithmetic(i, a, b)
}

// arithmetic executes an instruction of two operands that are read.
func (m *interpreter) arithmetic(i instruction, a, b uint64) error {
	switch i.op {
	case "CMPQ":
		m.compared = &[2]int64{int64(a), int64(b)}
		return nil
	case "CMPB":
		m.compared = &[2]int64{int64(int8(a)), int64(int8(b))}
		return nil
	case "TESTQ":
		m.compared = &[2]int64{int64(a & b), 0}
		return nil
	}
	m.compared = nil
	switch i.op {
	case "ADDQ":
		return m.assign(i.last(), b+a)
	case "SUBQ":
		return m.assign(i.last(), b-a)
	case "IMULQ":
		return m.assign(i.last(), b*a)
	case "ANDQ":
		return m.assign(i.last(), b&a)
	case "SHRQ":
		return m.assign(i.last(), b>>a)
	case "SHLQ":
		return m.assign(i.last(), b<<(a&63))
	}
	return errors.New("an instruction that is not understood")
}
