package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/plume-ml/plume/internal/guard"
)

// eachHalves runs a test on the definitions and on every extension that this machine has, whatever
// the environment chooses.
func eachHalves(t *testing.T, test func(t *testing.T, h, definition *Halves)) {
	for _, h := range []*Halves{&definedBF16, &definedPairs} {
		t.Run(h.name, func(t *testing.T) { test(t, h, h) })
	}
	for i := range extensions {
		e := &extensions[i]
		t.Run(e.name, func(t *testing.T) {
			switch err := e.lacks(); {
			case err != nil && os.Getenv(envRequire) == e.name:
				t.Fatal(err)
			case err != nil:
				t.Skip(err)
			}
			test(t, e.halves, definitionOf(e))
		})
	}
}

func definitionOf(e *extension) *Halves {
	if e.name == amxName {
		return &definedBF16
	}
	return &definedPairs
}

// halfProduct is the arguments of a call of Mul.
type halfProduct struct {
	c, a, b                []float32
	ldc, rs, jump, bs      int
	first                  bool
	rows, panels, n, parts int
}

func (p *halfProduct) String() string {
	return fmt.Sprintf(
		"%d rows, %d panels, %d parts of %d, first %t, ldc %d, rs %d, jump %d, bs %d", p.rows,
		p.panels, p.parts, p.n, p.first, p.ldc, p.rs, p.jump, p.bs,
	)
}

func (p *halfProduct) run(h *Halves, c, a, b []float32) {
	h.Mul(c, p.ldc, p.first, a, p.rs, p.jump, b, p.bs, p.rows, p.panels, p.n, p.parts)
}

// draw gives the product its numbers.
func (p *halfProduct) draw(r *rand.Rand, classC, classA, classB halfClass) {
	k := p.n * p.parts
	p.c = classC.sums(r, (p.rows-1)*p.ldc+p.panels*HalfCols)
	p.a = classA.words(r, (p.rows-1)*p.rs+k/2+(p.parts-1)*p.jump)
	p.b = classB.words(r, (p.panels-1)*p.bs+k*HalfCols/2)
}

// halfClass is a kind of factors.
type halfClass int

const (
	usualHalves   halfClass = iota // 2^-8 to 8
	wideHalves                     // of every exponent that is allowed
	smallHalves                    // zero, and just above the least, whose sums cancel
	largeHalves                    // whose products overflow
	specialHalves                  // infinities and NaN among others
	anyHalves                      // all bit patterns that are allowed
	halfClasses
)

// half is a number as RoundHalves makes it: zero or at least 2^-56.
func (c halfClass) half(r *rand.Rand) uint16 {
	const least = leastBits >> 16
	w := r.Uint32()
	sign, digits := uint16(w&0x8000), uint16(w>>16&0x7f)
	exponent := func(lo, n int) uint16 { return uint16(lo+r.IntN(n)) << 7 }
	switch c {
	case usualHalves:
		return sign | digits | exponent(127-8, 11)
	case wideHalves:
		return sign | digits | exponent(127-56, 183)
	case smallHalves:
		if w>>24&3 == 0 {
			return sign
		}
		return sign | digits | exponent(127-56, 3)
	case largeHalves:
		return sign | digits | exponent(127+61, 5)
	case specialHalves:
		if w>>24 == 0 {
			return sign | infinityBits>>16 | digits&-(digits&1)
		}
		return usualHalves.half(r)
	}
	if w&0x7fff < least {
		return sign
	}
	return uint16(w)
}

func (c halfClass) words(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(uint32(c.half(r)) | uint32(c.half(r))<<16)
	}
	return x
}

// sums are numbers that products of the class may be added to: zero, or not below 2^-103.
func (c halfClass) sums(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		switch w := r.Uint32(); c {
		case anyHalves:
			x[i] = math.Float32frombits(w)
		case smallHalves:
			x[i] = scaled(r.Uint64(), -103, 4)
		case largeHalves:
			x[i] = scaled(r.Uint64(), 120, 8)
		default:
			x[i] = scaled(r.Uint64(), -8, 11)
		}
		if math.Abs(float64(x[i])) < 0x1p-103 {
			x[i] = 0
		}
	}
	return x
}

// halfProducts are all numbers of rows up to twice those of a block, more blocks than a call has,
// depths that are taken in chunks, and other shapes.
func halfProducts(r *rand.Rand) (list []halfProduct) {
	for rows := 1; rows <= 70; rows++ {
		list = append(list, halfProduct{
			rows: rows, panels: 1 + r.IntN(3), n: HalfDepth * (1 + r.IntN(3)), parts: 1 + r.IntN(3),
		})
	}
	for panels := range 5 {
		for groups := range 4 {
			list = append(list, halfProduct{
				rows: 1 + r.IntN(40), panels: panels + 1, n: HalfDepth * groups,
				parts: 1 + r.IntN(4),
			})
		}
	}
	for _, n := range []int{320, 352, 512, 544, 1024} {
		for _, rows := range []int{1, 16, 33, 128, 161} {
			p := halfProduct{rows: rows, panels: 1 + r.IntN(3), n: n, parts: 1}
			if r.IntN(2) == 0 {
				p.n, p.parts = HalfDepth, n/HalfDepth
			}
			list = append(list, p)
		}
	}
	for i := range list {
		p := &list[i]
		p.first = r.IntN(2) == 0
		p.ldc = p.panels*HalfCols + r.IntN(4)
		p.rs = p.n*p.parts/2 + r.IntN(20) // rows may overlap where parts are apart
		p.jump = r.IntN(2) * r.IntN(40)
		p.bs = p.n*p.parts*HalfCols/2 + r.IntN(2)*r.IntN(40)
	}
	return list
}

// TestHalvesAgree: products of halves have the bits of their definition but for NaN, and touch
// nothing else.
func TestHalvesAgree(t *testing.T) {
	eachHalves(t, func(t *testing.T, h, definition *Halves) {
		r := rand.New(rand.NewPCG(15, 3))
		f := guard.NewFence(t, 3, 1<<17)
		for i, p := range halfProducts(r) {
			if raceEnabled && i%8 != 0 {
				continue // the race detector makes it slow, and has nothing to find here
			}
			class := halfClass(i) % halfClasses
			p.draw(r, class, class, halfClass(r.IntN(int(class)+1)))
			want := append([]float32(nil), p.c...)
			p.run(definition, want, p.a, p.b)
			all := []int{r.IntN(8), 0, 7}
			if h == definition {
				all = all[:1] // Go checks its own bounds
			}
			for _, ends := range all {
				f.Clear()
				c, a, b := f.Put(p.c, ends&1 == 0), f.Put(p.a, ends&2 == 0), f.Put(p.b, ends&4 == 0)
				if err := f.Try(func() { p.run(h, c, a, b) }); err != nil {
					t.Fatalf("%v: %v", &p, err)
				}
				for j, v := range c {
					if !agree(v, want[j]) {
						t.Fatalf(
							"%v: c[%d] is %v (%#08x), want %v (%#08x)", &p, j, v,
							math.Float32bits(v), want[j], math.Float32bits(want[j]),
						)
					}
				}
			}
		}
	})
}

// TestHalvesOrder holds the definitions to products of float32 in the same order.
func TestHalvesOrder(t *testing.T) {
	const rows, n, cols = 5, 96, HalfCols
	x, y := fill(rows*n), fill(n*cols)
	a, b := make([]float32, rows*n/2), make([]float32, n*cols/2)
	RoundHalves(a, n/2, x, n, rows, n, 1)
	InterleavePairs(b, y, cols, cols, n, 1)
	roundedX, roundedY := rounded(RoundRows, x), rounded(RoundRows, y)
	for _, q := range []struct {
		h     *Halves
		order order
	}{
		{&definedBF16, order{32, func(sum float32, x, y []float32) float32 {
			return sum + (chain(0, x, y, 0, 2) + chain(0, x, y, 1, 2))
		}}},
		{&definedPairs, order{2, func(sum float32, x, y []float32) float32 {
			return bigFMA(x[0], y[0], bigFMA(x[1], y[1], sum))
		}}},
	} {
		got := make([]float32, rows*cols)
		q.h.Mul(got, cols, true, a, n/2, 0, b, 0, rows, 1, n, 1)
		o := &operands{
			rows: 2, d: n, cols: cols, ldc: cols, rs: n, cs: 1, parts: 1,
			f: [6][]float32{make([]float32, rows*cols), make([]float32, cols), nil, roundedY},
		}
		for i := 1; i < rows; i++ {
			o.f[2] = roundedX[(i-1)*n:] // row computes row 1
			q.order.row(o)
			what := fmt.Sprintf("%s, row %d", q.h.name, i)
			same(t, what, got[i*cols:][:cols], o.f[0][cols:][:cols])
		}
	}
}

// TestHalvesInterrupted: a product may stop at any multiple of 32 and go on.
func TestHalvesInterrupted(t *testing.T) {
	eachHalves(t, func(t *testing.T, h, _ *Halves) {
		const rows, panels, n = 33, 2, 128
		r := rand.New(rand.NewPCG(15, 4))
		p := halfProduct{
			rows: rows, panels: panels, n: n, parts: 1, first: true, ldc: 64, rs: n / 2,
			bs: n * HalfCols / 2,
		}
		p.draw(r, usualHalves, smallHalves, wideHalves)
		want := make([]float32, rows*64)
		p.run(h, want, p.a, p.b)
		for k := HalfDepth; k < n; k += HalfDepth {
			q, c := p, make([]float32, rows*64)
			q.n = k
			q.run(h, c, p.a, p.b)
			q.n, q.first = n-k, false
			q.run(h, c, p.a[k/2:], p.b[k*HalfCols/2:])
			same(t, fmt.Sprintf("interrupted at %d", k), c, want)
		}
	})
}

// TestHalvesOverlap: blocks that may overlap cover any number of rows, in calls of at most four,
// and compute few rows twice: n blocks are at most n-2 rows higher than even ones, which have at
// most n-1 rows too many: n*(n-2) + n-1 in all, at most n*n - n for n > 0.
func TestHalvesOverlap(t *testing.T) {
	h := Halves{high: 32, blocks: 4, overlaps: true}
	for rows := 33; rows <= 300; rows++ {
		for _, most := range []int{1, 2, 3, 4} {
			twice, end := 0, 0
			for end < rows {
				s := h.next(rows, end, most, true)
				if s.rows < 1 || s.rows > h.high || s.blocks < 1 || s.blocks > most ||
					s.gap < 1 || s.gap > s.rows {
					t.Fatalf("%d rows, at most %d blocks: %+v from row %d", rows, most, s, end)
				}
				twice += (s.rows - s.gap) * (s.blocks - 1)
				end += s.gap*(s.blocks-1) + s.rows
			}
			if end != rows || twice > most*most-most {
				t.Fatalf("%d rows, at most %d blocks: %d, %d of them twice", rows, most, end, twice)
			}
		}
	}
}

// TestHalvesCut: products are cut into calls of a bounded size that cover them once.
func TestHalvesCut(t *testing.T) {
	const depth = 64
	const block = 32 * 32 * depth // multiply-adds
	for _, most := range []int{0, 1, block, 3 * block, 7 * block} {
		r := rand.New(rand.NewPCG(15, 5))
		p := halfProduct{
			rows: 110, panels: 3, n: depth / 2, parts: 2, first: true, ldc: 99, rs: 40, jump: 3,
			bs: depth * HalfCols / 2,
		}
		p.draw(r, usualHalves, usualHalves, usualHalves)
		want := append([]float32(nil), p.c...)
		p.run(&definedBF16, want, p.a, p.b)
		h := definedBF16
		h.most = most
		h.mul = func(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
			bs, rows, gap, blocks, panels, n, parts int) {
			if rows > h.high || rows < h.high && blocks > 1 {
				t.Errorf("%d blocks of %d rows", blocks, rows)
			}
			if size := block * blocks * panels; most > 0 && size > max(most, block) {
				t.Errorf("a call of %d multiply-adds, want at most %d", size, most)
			}
			definedBF16.mul(c, ldc, first, a, rs, jump, b, bs, rows, gap, blocks, panels, n,
				parts)
		}
		got := append([]float32(nil), p.c...)
		p.run(&h, got, p.a, p.b)
		same(t, fmt.Sprintf("calls of %d", most), got, want)
	}
}
