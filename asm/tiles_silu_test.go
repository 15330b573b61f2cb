package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/plume-ml/plume/kernel"
)

// siluProduct is the arguments of MulSiLU: those of a product, and what becomes of its sums.
type siluProduct struct {
	product
	cols, ss, ld int
	slopes       bool
	bias         []float32
}

// draw gives it strides and numbers of a kind.
func (p *siluProduct) draw(r *rand.Rand, kind int) {
	p.parts, p.first, p.ldc = 1, true, p.panels*kernel.HalfCols
	p.gap, p.more = max(1, p.rows-r.IntN(4)), r.IntN(2) == 0
	if p.blocks == 1 {
		p.gap = p.rows
	}
	p.step = 16 + r.IntN(2)*r.IntN(20)
	p.rs, p.bs = p.n/2+r.IntN(3), p.n*kernel.HalfCols/2+r.IntN(3)
	p.cols = p.panels*kernel.HalfCols - r.IntN(kernel.HalfCols)
	p.ss = p.all()*kernel.HalfCols/2 + r.IntN(3)
	p.ld, p.slopes = p.cols+r.IntN(3), r.IntN(3) > 0
	p.product.draw(r, kind)
	p.bias = make([]float32, p.cols)
	for j := range p.bias {
		p.bias[j] = p.c[j]
	}
}

// outputs are places for the halves and for the slopes.
func (p *siluProduct) outputs() (halves, slopes []float32) {
	halves = make([]float32, (p.panels-1)*p.ss+p.all()*kernel.HalfCols/2)
	if p.slopes {
		slopes = make([]float32, (p.all()-1)*p.ld+p.cols)
	}
	return halves, slopes
}

// interpret executes MulSiLU.
func (p *siluProduct) interpret(fn function, data map[string]uint32) (
	halves, slopes []float32, m *interpreter, err error,
) {
	bytes := func(x []float32) []byte {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	}
	halves, slopes = p.outputs()
	const at = 0x1000_0000
	more := uint64(0)
	if p.more {
		more = 1
	}
	m = newInterpreter(fn, map[string]uint64{
		"dst_base": at, "ss": uint64(p.ss), "slopes_base": 2 * at, "ld": uint64(p.ld),
		"slopes_len": uint64(len(slopes)), "bias_base": 3 * at, "bias_len": uint64(p.cols),
		"a_base": 4 * at, "rs": uint64(p.rs), "b_base": 5 * at, "bs": uint64(p.bs),
		"rows": uint64(p.rows), "gap": uint64(p.gap), "blocks": uint64(p.blocks),
		"panels": uint64(p.panels), "n": uint64(p.n), "step": uint64(p.step), "more": more,
	})
	m.vectors.data = data
	no, yes := func(int) bool { return false }, func(int) bool { return true }
	inA := p.wordsOfA()
	m.arrays = append(
		m.arrays,
		array{at, bytes(halves), no, func(at int) bool {
			return at/4%p.ss < p.all()*kernel.HalfCols/2
		}},
		array{2 * at, bytes(slopes), no, func(at int) bool { return at/4%p.ld < p.cols }},
		array{3 * at, bytes(p.bias), yes, no},
		array{4 * at, bytes(p.a), func(at int) bool { return inA[at/4] }, no},
		array{5 * at, bytes(p.b), func(at int) bool {
			return at/4%p.bs < p.n*kernel.HalfCols/2
		}, no},
	)
	return halves, slopes, m, m.run()
}

// TestTilesSiLU executes MulSiLU as TestTiles does MulBlocks: it has the bits of the kernels that
// it is composed of.
func TestTilesSiLU(t *testing.T) {
	fn := named(t, "amx", "MulSiLU")
	data, err := constants(filepath.Join("amx", "product_amd64.s"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(15, 8))
	for rows := 1; rows <= 32; rows++ {
		for kind := range 4 {
			p := &siluProduct{product: product{
				rows: rows, blocks: 1 + r.IntN(3), panels: 1 + r.IntN(3), n: 32 * (1 + r.IntN(4)),
			}}
			p.compare(t, fn, data, r, kind)
		}
	}
	for groups := 7; groups <= 27; groups++ {
		p := &siluProduct{product: product{
			rows: 1 + r.IntN(32), blocks: 1 + r.IntN(4), panels: 1 + r.IntN(2), n: 32 * groups,
		}}
		p.compare(t, fn, data, r, r.IntN(4))
	}
}

func (p *siluProduct) compare(
	t *testing.T, fn function, data map[string]uint32, r *rand.Rand, kind int,
) {
	t.Helper()
	p.draw(r, kind)
	what := fmt.Sprintf("%d blocks of %d rows, %d columns, depth %d, slopes %t", p.blocks, p.rows,
		p.cols, p.n, p.slopes)
	halves, slopes, m, err := p.interpret(fn, data)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	squares := 2 * ((p.rows + 15) / 16)
	if want := squares * p.blocks * p.panels * p.n / 32; m.tiles.products != want {
		t.Fatalf("%s: %d products of tiles, want %d", what, m.tiles.products, want)
	}
	wantHalves, wantSlopes := p.outputs()
	kernel.DefinedBF16().MulSiLU(
		wantHalves, p.ss, wantSlopes, p.ld, p.bias, p.a, p.rs, p.step-16, p.b, p.bs, p.all(), 32,
		p.n/32,
	)
	same := func(kind string, got, want []float32) {
		for i, v := range got {
			if math.Float32bits(v) != math.Float32bits(want[i]) && (v == v || want[i] == want[i]) {
				t.Fatalf("%s: %s[%d] is %v, want %v", what, kind, i, v, want[i])
			}
		}
	}
	same("half", kernel.FloatsOf(halves), kernel.FloatsOf(wantHalves))
	same("slope", slopes, wantSlopes)
}
