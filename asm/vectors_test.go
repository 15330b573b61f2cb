package asm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// vectors are the registers of AVX-512.
type vectors struct {
	z     [32][16]uint32
	masks [8]uint32
	data  map[string]uint32 // constants of the file, by their place
}

var datum = regexp.MustCompile(`(?m)^DATA (\w+<>\+\d+\(SB\))/4, \$(\w+)$`)

// constants reads those of a file.
func constants(name string) (map[string]uint32, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	all := map[string]uint32{}
	for _, m := range datum.FindAllStringSubmatch(string(text), -1) {
		word, err := strconv.ParseUint(m[2], 0, 32)
		if err != nil {
			return nil, err
		}
		all[m[1]] = uint32(word)
	}
	return all, nil
}

// numbered is the number of a register of a kind, Z or K.
func numbered(operand string, kind byte) (n int, is bool) {
	if operand == "" || operand[0] != kind {
		return 0, false
	}
	n, err := strconv.Atoi(operand[1:])
	return n, err == nil
}

// float makes an operation on numbers one on words.
func float(f func(a, b float32) float32) func(a, b uint32) uint32 {
	return func(a, b uint32) uint32 {
		return math.Float32bits(f(math.Float32frombits(a), math.Float32frombits(b)))
	}
}

// lanes are operations on each lane, of the last but one operand and the one before it.
var lanes = map[string]func(a, b uint32) uint32{
	"VADDPS": float(func(a, b float32) float32 { return a + b }),
	"VSUBPS": float(func(a, b float32) float32 { return a - b }),
	"VMULPS": float(func(a, b float32) float32 { return a * b }),
	"VDIVPS": float(func(a, b float32) float32 { return a / b }),
	"VMAXPS": float(func(a, b float32) float32 {
		if a > b {
			return a
		}
		return b
	}),
	"VMINPS": float(func(a, b float32) float32 {
		if a < b {
			return a
		}
		return b
	}),
	"VPADDD": func(a, b uint32) uint32 { return a + b },
	"VPANDD": func(a, b uint32) uint32 { return a & b },
	"VPSLLD": func(a, b uint32) uint32 { return a << b },
}

// multiplyAdds are operations on the last operand, the one before it, and the one before that.
var multiplyAdds = map[string]func(d, a, b float32) float32{
	"VFMADD213PS": func(d, a, b float32) float32 { return fma(a, d, b) },
	"VFMSUB213PS": func(d, a, b float32) float32 { return fma(a, d, -b) },
	"VFMADD231PS": func(d, a, b float32) float32 { return fma(a, b, d) },
}

var errMasked = errors.New("a mask that is not understood")

// vector executes an instruction on registers of AVX-512, if it is one.
func (m *interpreter) vector(i instruction) (handled bool, err error) {
	v, ops := &m.vectors, i.operands
	name, zeroes := strings.CutSuffix(i.op, ".Z")
	if name == "KMOVW" {
		k, _ := numbered(i.last(), 'K')
		word, err := m.value(ops[0])
		v.masks[k] = uint32(word) & 0xffff
		return true, err
	}
	if name == "VPCMPUD" {
		a, b, err := m.pair(ops[1], ops[2])
		k, _ := numbered(i.last(), 'K')
		v.masks[k] = 0
		for l := range a {
			if a[l] < b[l] {
				v.masks[k] |= 1 << l
			}
		}
		if ops[0] != "$0x01" {
			err = errMasked
		}
		return true, err
	}
	mask, merges := uint32(0xffff), false
	if len(ops) > 1 {
		if k, is := numbered(ops[len(ops)-2], 'K'); is {
			mask, merges = v.masks[k], !zeroes
			ops = append(append([]string(nil), ops[:len(ops)-2]...), i.last())
		}
	}
	if zeroes && mask == 0xffff && len(ops) == len(i.operands) {
		return true, errMasked
	}
	result, handled, err := m.result(name, ops, mask)
	if !handled || err != nil {
		return handled, err
	}
	return true, m.write(i.last(), result, mask, merges)
}

// pair reads two operands, the second first.
func (m *interpreter) pair(second, first string) (a, b [16]uint32, err error) {
	a, err = m.read(first, 0xffff)
	b, err2 := m.read(second, 0xffff)
	return a, b, errors.Join(err, err2)
}

// read is the lanes of an operand, those of memory that the mask has.
func (m *interpreter) read(operand string, mask uint32) (x [16]uint32, err error) {
	if n, is := numbered(operand, 'Z'); is {
		return m.vectors.z[n], nil
	}
	if symbol, _, is := strings.Cut(operand, "+0(SB)"); is {
		for l := range x {
			x[l] = m.vectors.data[fmt.Sprintf("%s+%d(SB)", symbol, 4*l)]
		}
		return x, nil
	}
	address, err := m.address(operand)
	for l := range x {
		if err == nil && mask>>l&1 != 0 {
			var word []byte
			if word, err = m.find(address+4*uint64(l), 4, false); err == nil {
				x[l] = binary.LittleEndian.Uint32(word)
			}
		}
	}
	return x, err
}

// write sets the lanes of an operand that the mask has; of a register the others become zero,
// unless they are merged.
func (m *interpreter) write(operand string, x [16]uint32, mask uint32, merges bool) error {
	if n, is := numbered(operand, 'Z'); is {
		for l := range x {
			if mask>>l&1 != 0 {
				m.vectors.z[n][l] = x[l]
			} else if !merges {
				m.vectors.z[n][l] = 0
			}
		}
		return nil
	}
	address, err := m.address(operand)
	for l := range x {
		if err == nil && mask>>l&1 != 0 {
			var word []byte
			if word, err = m.find(address+4*uint64(l), 4, true); err == nil {
				binary.LittleEndian.PutUint32(word, x[l])
			}
		}
	}
	return err
}

// result computes what an instruction writes.
func (m *interpreter) result(name string, ops []string, mask uint32) (
	x [16]uint32, handled bool, err error,
) {
	switch name {
	case "VMOVUPS", "VMOVAPS":
		x, err = m.read(ops[0], mask)
		return x, true, err
	case "VBROADCASTSS":
		x, err = m.read(ops[0], 1)
		for l := range x {
			x[l] = x[0]
		}
		return x, true, err
	case "VPERMPS", "VCVTNE2PS2BF16":
		a, b, err := m.pair(ops[0], ops[1])
		for l := range x {
			if name == "VPERMPS" {
				x[l] = b[a[l]&15]
			} else {
				pair := append(b[:], a[:]...)[2*l:]
				x[l] = toHalf(pair[0]) | toHalf(pair[1])<<16
			}
		}
		return x, true, err
	}
	if f, ok := multiplyAdds[name]; ok {
		a, b, err := m.pair(ops[0], ops[1])
		n, _ := numbered(ops[2], 'Z')
		for l, d := range m.vectors.z[n] {
			x[l] = math.Float32bits(f(math.Float32frombits(d), math.Float32frombits(a[l]),
				math.Float32frombits(b[l])))
		}
		return x, true, err
	}
	f, ok := lanes[name]
	if !ok {
		return x, false, nil
	}
	a, err := m.read(ops[1], mask)
	b := [16]uint32{}
	if number, is := strings.CutPrefix(ops[0], "$"); is && err == nil {
		var n uint64
		n, err = strconv.ParseUint(number, 0, 32)
		for l := range b {
			b[l] = uint32(n)
		}
	} else if err == nil {
		b, err = m.read(ops[0], mask)
	}
	for l := range x {
		x[l] = f(a[l], b[l])
	}
	return x, true, err
}

// toHalf is the conversion to bf16: to nearest even, denormal numbers to zero, NaN quiet.
func toHalf(x uint32) uint32 {
	switch size := x &^ (1 << 31); {
	case size > 0xff<<23:
		return x>>16 | 1<<6
	case size < 1<<23:
		return x >> 31 << 15
	}
	return (x + 0x7fff + x>>16&1) >> 16
}
