package asm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/plume-ml/plume/kernel"
)

// tiles is the state of AMX, and what its instructions do by Intel's Software Developer's Manual,
// volume 2, with the order of TDPBF16PS that was found by comparison with a CPU (MulGroups of
// package kernel). What would be a fault is an error; so is a denormal number, which the hardware
// takes for zero: with the factors that package kernel makes there is none.
type tiles struct {
	configured  bool
	rows, bytes [8]int // of each, the bytes of a row
	data        [8][16][64]byte
	products    int // executed
}

var errTiles = errors.New("a configuration of tiles that is an error")

// configure is LDTILECFG.
func (t *tiles) configure(config []byte) error {
	*t = tiles{configured: true, products: t.products}
	if config[0] != 1 || config[1] != 0 { // palette and the row to begin with
		return errTiles
	}
	for at, b := range config {
		word, row := (at-16)/2, at-48
		switch {
		case at < 2:
		case at >= 16 && at < 32:
			t.bytes[word] |= int(b) << (at % 2 * 8)
		case at >= 48 && at < 56:
			t.rows[row] = int(b)
		case b != 0:
			return errTiles
		}
	}
	for i := range t.rows {
		if t.rows[i] > 16 || t.bytes[i] > 64 || (t.rows[i] == 0) != (t.bytes[i] == 0) {
			return errTiles
		}
	}
	return nil
}

// tile executes an instruction on tiles, if it is one.
func (m *interpreter) tile(i instruction) (handled bool, err error) {
	t := &m.tiles
	var registers []int
	var memory string
	for _, o := range i.operands {
		if len(o) == 2 && o[0] == 'T' {
			registers = append(registers, int(o[1]-'0'))
		} else {
			memory = o
		}
	}
	switch i.op {
	case "LDTILECFG":
		address, err := m.address(memory)
		if err != nil {
			return true, err
		}
		config, err := m.find(address, 64, false)
		if err != nil {
			return true, err
		}
		return true, t.configure(config)
	case "TILERELEASE":
		t.configured = false
		return true, nil
	case "TILEZERO", "TILELOADD", "TILESTORED", "TDPBF16PS":
	default:
		return false, nil
	}
	for _, r := range registers {
		if !t.configured || t.rows[r] == 0 {
			return true, fmt.Errorf("T%d is not configured", r)
		}
	}
	switch i.op {
	case "TILEZERO":
		t.data[registers[0]] = [16][64]byte{}
	case "TDPBF16PS":
		return true, t.multiply(registers[2], registers[1], registers[0])
	default:
		return true, m.move(registers[0], memory, i.op == "TILESTORED")
	}
	return true, nil
}

// move loads a tile, or stores it.
func (m *interpreter) move(r int, memory string, store bool) error {
	t := &m.tiles
	address, err := m.address(memory)
	if err != nil {
		return err
	}
	start, err := m.address(memory[:strings.Index(memory, ")")+1])
	if err != nil {
		return err
	}
	if !store {
		t.data[r] = [16][64]byte{}
	}
	for row := range t.rows[r] {
		line, err := m.find(start+uint64(row)*(address-start), t.bytes[r], store)
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		if store {
			copy(line, t.data[r][row][:])
		} else {
			copy(t.data[r][row][:], line)
		}
	}
	return nil
}

// multiply is TDPBF16PS: c += a b, of pairs.
func (t *tiles) multiply(c, a, b int) error {
	if t.rows[c] != t.rows[a] || t.bytes[c] != t.bytes[b] || t.bytes[a] != 4*t.rows[b] {
		return errors.New("tiles whose shapes do not match")
	}
	t.products++
	var lost error
	word := func(tile, row, k int) uint32 {
		return binary.LittleEndian.Uint32(t.data[tile][row][4*k:])
	}
	number := func(w uint32) float32 { return normal(math.Float32frombits(w), &lost) }
	for i := range t.rows[c] {
		for j := range t.bytes[c] / 4 {
			var even, odd float32
			for k := range t.rows[b] {
				x, y := word(a, i, k), word(b, k, j)
				even = normal(fma(number(x<<16), number(y<<16), even), &lost)
				odd = normal(fma(number(x&^0xffff), number(y&^0xffff), odd), &lost)
			}
			sum := normal(number(word(c, i, j))+normal(even+odd, &lost), &lost)
			binary.LittleEndian.PutUint32(t.data[c][i][4*j:], math.Float32bits(sum))
		}
	}
	return lost
}

// normal is x; if it is denormal, that is an error.
func normal(x float32, lost *error) float32 {
	if x != 0 && math.Abs(float64(x)) < 0x1p-126 {
		*lost = fmt.Errorf("%v is denormal", x)
	}
	return x
}

// fma is x*y + z rounded once: the float64 sum is moved to its odd neighbour on the side of what it
// lost, which then rounds as the exact sum does.
func fma(x, y, z float32) float32 {
	p, q := float64(x)*float64(y), float64(z) // exact
	s := p + q
	b := s - p
	if lost := (p - (s - b)) + (q - b); lost != 0 && lost-lost == 0 &&
		math.Float64bits(s)&1 == 0 {
		s = math.Nextafter(s, math.Copysign(math.Inf(1), lost))
	}
	return float32(s)
}

// product is the arguments of MulBlocks. If groups are apart, there is one part.
type product struct {
	rows, gap, blocks, panels, n, parts, step, ldc, rs, jump, bs int

	first   bool
	more    bool // changes nothing: what follows b is brought nearer
	c, a, b []float32
}

// all is the rows of all blocks.
func (p *product) all() int { return (p.blocks-1)*p.gap + p.rows }

// draw gives it numbers: usual ones, of all exponents, large ones, or with infinities and NaN.
func (p *product) draw(r *rand.Rand, kind int) {
	half := func() uint32 {
		w := r.Uint32()
		exponent := [...]uint32{127 - 4, 127 - 56, 127 + 60, 127 - 4}[kind] +
			w>>8%[...]uint32{8, 113, 5, 8}[kind]
		switch {
		case kind == 3 && w>>24 < 2:
			exponent = 255
		case w>>24 < 32:
			return w & 0x8000
		}
		return w&0x807f | exponent<<7
	}
	words := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.Float32frombits(half() | half()<<16)
		}
		return x
	}
	k := p.n * p.parts
	rows := p.all()
	p.a = words((rows-1)*p.rs + k/2 + (p.parts-1)*p.jump + (p.n/32-1)*(p.step-16))
	p.b = words((p.panels-1)*p.bs + k*kernel.HalfCols/2)
	p.c = make([]float32, (rows-1)*p.ldc+p.panels*kernel.HalfCols)
	for i := range p.c {
		p.c[i] = math.Float32frombits(half()<<16 | r.Uint32()>>16)
		if math.Abs(float64(p.c[i])) < 0x1p-103 {
			p.c[i] = 0
		}
	}
}

// interpret executes MulBlocks.
func (p *product) interpret(fn function) ([]float32, *interpreter, error) {
	bytes := func(x []float32) []byte {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	}
	c := append([]float32(nil), p.c...)
	const atC, atA, atB = 0x1000_0000, 0x2000_0000, 0x3000_0000
	flag := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	m := newInterpreter(fn, map[string]uint64{
		"c_base": atC, "ldc": uint64(p.ldc), "first": flag(p.first),
		"a_base": atA, "rs": uint64(p.rs), "jump": uint64(p.jump),
		"b_base": atB, "bs": uint64(p.bs), "rows": uint64(p.rows), "gap": uint64(p.gap),
		"blocks": uint64(p.blocks), "panels": uint64(p.panels), "n": uint64(p.n),
		"parts": uint64(p.parts), "step": uint64(p.step), "more": flag(p.more),
	})
	no := func(int) bool { return false }
	inC := func(at int) bool { return at/4%p.ldc < p.panels*kernel.HalfCols }
	readC := inC
	if p.first {
		readC = no
	}
	inA := p.wordsOfA()
	inB := func(at int) bool { return at/4%p.bs < p.n*p.parts*kernel.HalfCols/2 }
	m.arrays = append(
		m.arrays, array{atC, bytes(c), readC, inC},
		array{atA, bytes(p.a), func(at int) bool { return inA[at/4] }, no},
		array{atB, bytes(p.b), inB, no},
	)
	return c, m, m.run()
}

// wordsOfA are those that belong to a row.
func (p *product) wordsOfA() []bool {
	in := make([]bool, len(p.a))
	for i := range p.all() {
		for part := range p.parts {
			for k := range p.n / 2 {
				in[i*p.rs+part*(p.n/2+p.jump)+k/16*p.step+k%16] = true
			}
		}
	}
	return in
}

func named(t *testing.T, dir, name string) function {
	t.Helper()
	for _, f := range functions(t, dir) {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("%s has no function %s", dir, name)
	return function{}
}

// TestTiles executes the products of package amx, as they are in its listing, for every number of
// rows: they have the bits of their definition in package kernel, touch nothing but their
// arguments, and leave no tiles configured. It needs no CPU that has them.
func TestTiles(t *testing.T) {
	fn := named(t, "amx", "MulBlocks")
	r := rand.New(rand.NewPCG(15, 7))
	for rows := 1; rows <= 32; rows++ {
		for kind := range 4 {
			for _, first := range []bool{false, true} {
				p := &product{
					rows: rows, blocks: 1 + r.IntN(2), panels: 1 + r.IntN(2),
					n: 32 * (1 + r.IntN(3)), parts: 1 + r.IntN(2), jump: r.IntN(20), first: first,
				}
				p.run(t, fn, r, kind)
			}
		}
	}
	for groups := 10; groups <= 27; groups++ { // from the depth of one chunk on
		for blocks := 1; blocks <= 4; blocks++ {
			p := &product{
				rows: 1 + r.IntN(32), blocks: blocks, panels: 1 + r.IntN(2),
				n: 32 * groups, parts: 1, first: r.IntN(2) == 0,
			}
			p.run(t, fn, r, r.IntN(4))
		}
	}
}

// run compares it with numbers of a kind, and some strides.
func (p *product) run(t *testing.T, fn function, r *rand.Rand, kind int) {
	t.Helper()
	k := p.n * p.parts
	p.ldc = p.panels*kernel.HalfCols + r.IntN(3)
	p.rs = k/2 + p.jump*p.parts + r.IntN(3)
	p.gap, p.more = p.rows, r.IntN(2) == 0
	if p.first {
		p.gap = max(1, p.rows-r.IntN(4))
	}
	p.step = 16
	if p.parts == 1 {
		p.step += r.IntN(2) * r.IntN(20)
	}
	p.bs = k*kernel.HalfCols/2 + r.IntN(3)
	p.draw(r, kind)
	p.compare(t, fn)
}

func (p *product) compare(t *testing.T, fn function) {
	t.Helper()
	what := fmt.Sprintf(
		"%d blocks of %d rows, %d panels, %d parts of %d, first %t", p.blocks, p.rows, p.panels,
		p.parts, p.n, p.first,
	)
	got, m, err := p.interpret(fn)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	squares := 2 * ((p.rows + 15) / 16) // of 16 rows and 16 columns in a block
	if want := squares * p.blocks * p.panels * p.n * p.parts / 32; m.tiles.products != want {
		t.Fatalf("%s: %d products of tiles, want %d", what, m.tiles.products, want)
	}
	want := append([]float32(nil), p.c...)
	n, parts, jump := p.n, p.parts, p.jump
	if p.step > 16 {
		n, parts, jump = 32, p.n/32, p.step-16
	}
	kernel.DefinedBF16().Mul(
		want, p.ldc, p.first, p.a, p.rs, jump, p.b, p.bs, p.all(), p.panels, n, parts,
	)
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) && (v == v || want[i] == want[i]) {
			t.Fatalf("%s: c[%d] is %v, want %v", what, i, v, want[i])
		}
	}
}

// TestTilePeak: the loop that measures computes as many products as it says, and ends well.
func TestTilePeak(t *testing.T) {
	fn := named(t, "amx", "Peak")
	for rounds, want := range map[int64]int{-1: 0, 0: 0, 1: 6, 4: 24} {
		m := newInterpreter(fn, map[string]uint64{"n": uint64(rounds)})
		if err := m.run(); err != nil || m.tiles.products != want {
			got := m.tiles.products
			t.Errorf("%d rounds: %d products of tiles, %v; want %d", rounds, got, err, want)
		}
	}
}
