package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/plume-ml/plume/internal/guard"
)

// siluProduct is the arguments of a call of MulSiLU.
type siluProduct struct {
	halfProduct
	cols, ss, ld int
	bias         []float32
}

func (p *siluProduct) String() string {
	return fmt.Sprintf("%v, %d columns, ss %d, ld %d", &p.halfProduct, p.cols, p.ss, p.ld)
}

// draw gives it strides and numbers of a class.
func (p *siluProduct) draw(r *rand.Rand, class halfClass) {
	if p.n == 0 || p.parts > 1 && p.n != HalfDepth {
		p.parts, p.n = 1, max(p.n, HalfDepth)
	}
	p.cols = p.panels*HalfCols - r.IntN(HalfCols)
	p.ss = p.rows*HalfCols/2 + r.IntN(2)*r.IntN(40)
	p.ld = p.cols + r.IntN(5)
	p.rs, p.bs = p.n*p.parts/2+r.IntN(20), p.n*p.parts*HalfCols/2+r.IntN(2)*r.IntN(40)
	p.halfProduct.draw(r, class, class, halfClass(r.IntN(int(class)+1)))
	p.bias = class.sums(r, p.cols)
}

func (p *siluProduct) run(h *Halves, dst, slopes, bias, a, b []float32) {
	h.MulSiLU(dst, p.ss, slopes, p.ld, bias, a, p.rs, p.jump, b, p.bs, p.rows, p.n, p.parts)
}

// compose is run by other kernels.
func (p *siluProduct) compose(h *Halves, dst, slopes []float32) {
	width := p.panels * HalfCols
	c, y := make([]float32, p.rows*width), make([]float32, p.cols)
	h.Mul(c, width, true, p.a, p.rs, p.jump, p.b, p.bs, p.rows, p.panels, p.n, p.parts)
	for i := range p.rows {
		x := c[i*width:][:p.cols]
		Add(x, p.bias)
		SiLU(y, x)
		if slopes != nil {
			copy(slopes[i*p.ld:], x)
		}
		copy(x, y)
	}
	RoundToColumns(dst, p.ss, c, width, p.rows, p.cols)
}

// TestHalvesSiLU: products whose sums go through a SiLU have the bits of the kernels that they are
// composed of, but for NaN, and touch nothing else.
func TestHalvesSiLU(t *testing.T) {
	eachHalves(t, func(t *testing.T, h, definition *Halves) {
		r := rand.New(rand.NewPCG(15, 9))
		f := guard.NewFence(t, 5, 1<<17)
		if !h.FinishesSiLU() {
			t.Skip("MulSiLU is AMX's and the definition's: these have separate calls")
		}
		for i, q := range halfProducts(r) {
			if raceEnabled && i%8 != 0 {
				continue // as in TestHalvesAgree
			}
			p := &siluProduct{halfProduct: q}
			p.draw(r, halfClass(i)%halfClasses)
			dst := make([]float32, (p.panels-1)*p.ss+p.rows*HalfCols/2)
			slopes := make([]float32, (p.rows-1)*p.ld+p.cols)
			if i%3 == 0 {
				slopes = nil
			}
			want := append([]float32(nil), dst...)
			wantSlopes := append([]float32(nil), slopes...)
			p.run(definition, want, wantSlopes, p.bias, p.a, p.b)
			all := []int{r.IntN(32), 0, 31}
			if h == definition {
				p.compose(h, dst, slopes)
				p.compare(t, "composed half", FloatsOf(dst), FloatsOf(want))
				p.compare(t, "composed slope", slopes, wantSlopes)
				continue
			}
			for _, ends := range all {
				f.Clear()
				put := func(x []float32, bit int) []float32 { return f.Put(x, ends>>bit&1 == 0) }
				a, b, bias, to := put(p.a, 0), put(p.b, 1), put(p.bias, 2), put(dst, 3)
				d := slopes
				if slopes != nil {
					d = put(slopes, 4)
				}
				if err := f.Try(func() { p.run(h, to, d, bias, a, b) }); err != nil {
					t.Fatalf("%v: %v", p, err)
				}
				p.compare(t, "half", FloatsOf(to), FloatsOf(want))
				p.compare(t, "slope", d, wantSlopes)
			}
		}
	})
}

func (p *siluProduct) compare(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range got {
		if !agree(v, want[i]) {
			t.Fatalf("%v: %s[%d] is %v, want %v", p, what, i, v, want[i])
		}
	}
}
