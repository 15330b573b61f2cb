package blas

import (
	"testing"
)

// factored is a product by a factor, c = bias + a op(b), or without a bias. As a product of Gemm it
// starts from beta c.
func (s *source) factored(tb Trans, d [3]int, biased bool) (p *product, bias []float32) {
	p = s.product(N, tb, d[0], d[1], d[2])
	if !biased {
		return p, nil
	}
	bias, p.beta = s.fill(p.n), 1
	for i := range p.m {
		copy(row(p.c, i), bias)
	}
	return p, bias
}

// mul is c after the product by the factor; what c was is not used.
func (p *product) mul(f *Factor, bias []float32) Matrix {
	c := copyOf(p.c)
	blank(c)
	f.Mul(p.a.Left(), bias, c)
	return c
}

// eachFactored calls f for products of random and the given shapes, in random order, with and
// without a bias.
func eachFactored(s *source, others [][3]int, f func(p *product, bias []float32)) {
	shapes := append(s.drawn(), others...)
	s.Shuffle(len(shapes), func(i, j int) { shapes[i], shapes[j] = shapes[j], shapes[i] })
	for _, d := range shapes {
		for _, tb := range flags {
			for _, biased := range []bool{false, true} {
				f(s.factored(tb, d, biased))
			}
		}
	}
}

// TestFactor: products by one factor, set again and again, are those in float64.
func TestFactor(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		var f Factor
		eachFactored(newSource(1), beyondBlocks[:6], func(p *product, bias []float32) {
			f.Set(p.tb, p.b)
			p.check(t, p.mul(&f, bias))
		})
	})
}

// TestFactorNative: they are Gemm's chains, bit for bit, also by left factors that are packed.
func TestFactorNative(t *testing.T) { eachUsed(t, testFactorNative) }

func testFactorNative(t *testing.T) {
	var f Factor
	s := newSource(2)
	eachFactored(s, beyondBlocks, func(p *product, bias []float32) {
		f.Set(p.tb, p.b)
		got := p.mul(&f, bias)
		p.checkFactor(t, got, bias)
		if bias == nil || Default().Precision() == Float32 {
			sameBits(t, p, got.Data, p.done().Data)
		}
	})
	for _, stride := range wideStrides {
		p, bias := s.factored(T, [3]int{blockM + 3, 37, 41}, true)
		f.Set(T, p.b)
		s.wide(p, stride).checkFactor(t, p.mul(&f, bias), bias)
	}
}

// TestFactorMulAdd: a product is added to what c holds, or replaces it; the native backend's chains
// are then those of Gemm with beta = 1, also over several blocks of k, bit for bit. In other
// precisions than float32 it is the product from zeros that is added.
func TestFactorMulAdd(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		var f Factor
		eachFactored(newSource(6), beyondBlocks[:6], func(p *product, _ []float32) {
			f.Set(p.tb, p.b)
			for _, p.beta = range []float32{0, 1} {
				c := p.prepared()
				f.MulAdd(p.a.Left(), c, p.beta == 1)
				p.check(t, c)
				if small := p.m*p.n*p.k < 1<<18; small && Default().CutFree() {
					p.checkAdded(t, c)
				}
			}
		})
	})
}

// TestFactorRows: ranges of rows of a product by one factor may be computed separately.
func TestFactorRows(t *testing.T) {
	use(t, "native")
	s := newSource(3)
	p, bias := s.factored(N, [3]int{blockM + 20, 40, blockK + 2}, true)
	var f Factor
	f.Set(N, p.b)
	parts := p.prepared()
	blank(parts)
	rows := s.cuts(p.m)
	for i, lo := range rows[:len(rows)-1] {
		hi := rows[i+1]
		f.Mul(sub(p.a, N, lo, hi, 0, p.k).Left(), bias, sub(parts, N, lo, hi, 0, p.n))
	}
	sameBits(t, p, parts.Data, p.mul(&f, bias).Data)
}

// TestFactorSetAgain: new values of b take effect with the next Set.
func TestFactorSetAgain(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(4)
		p := s.product(N, N, 20, 50, 30)
		var f Factor
		f.Set(N, p.b)
		p.check(t, p.mul(&f, nil))
		for i := range p.k {
			copy(row(p.b, i), s.fill(p.n))
		}
		f.Set(N, p.b)
		p.check(t, p.mul(&f, nil))
	})
}

// TestFactorReserve: what a factor reserves is what Set needs, no more and no less.
func TestFactorReserve(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(5)
		for _, d := range [][2]int{{1, 1}, {40, 32}, {40, 33}, {33, 200}, {0, 5}} {
			reserved := Default().Factor()
			asked := 0
			reserved.Reserve(d[0], d[1], func(n int) []float32 {
				asked = n
				return make([]float32, n)
			})
			own, b := Default().Factor(), s.spread(d[0], d[1])
			own.Set(N, b)
			if asked != len(own.panels) {
				t.Errorf("%d x %d: %d numbers reserved, %d needed",
					d[0], d[1], asked, len(own.panels))
			}
			if n := testing.AllocsPerRun(10, func() { reserved.Set(N, b) }); n != 0 {
				t.Errorf("%d x %d: Set allocates %v times after Reserve", d[0], d[1], n)
			}
		}
	})
}
