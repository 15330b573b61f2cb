package blas

import (
	"fmt"
	"math"
	"testing"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

// opposite sets some numbers that are multiplied with one at index l of the depth to zero, since
// infinity times zero is NaN.
//
// gonum omits terms whose left number is zero, except where only b is transposed. It gets none of
// these zeros, so that the test does not call that right.
func (s *source) opposite(p *product, l int) {
	*place(p.b, p.tb, l, s.IntN(p.n)) = 0
	if Default() != &gonumBackend {
		*place(p.a, p.ta, s.IntN(p.m), l) = 0
	}
}

// TestSpecialNumbers: a NaN or an infinity affects its row or column of c, and nothing else.
func TestSpecialNumbers(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s, pair := newSource(1), 0
		for _, d := range [][3]int{
			{1, 1, 1}, {5, 7, 3}, {29, 33, 9}, {15, 65, 40}, {blockM + 2, 18, 5},
			{3, 5, blockK + 2},
		} {
			eachTrans(func(ta, tb Trans) {
				for _, v := range []float32{nan, inf, -inf} {
					p := s.product(ta, tb, d[0], d[1], d[2]).with(pair)
					l := s.IntN(p.k)
					s.opposite(p, l)
					*place(p.a, ta, s.IntN(p.m), l) = v
					p.check(t, p.done())

					p = s.product(ta, tb, d[0], d[1], d[2]).with(pair)
					s.opposite(p, l)
					*place(p.b, tb, l, s.IntN(p.n)) = v
					p.check(t, p.done())

					p = s.product(ta, tb, d[0], d[1], d[2]).with(pair)
					*place(p.a, ta, s.IntN(p.m), l) = v
					*place(p.b, tb, l, s.IntN(p.n)) = -inf
					*place(p.c, N, s.IntN(p.m), s.IntN(p.n)) = inf
					p.check(t, p.done())
					pair++
				}
			})
		}
	})
}

// TestSpecialFactor: the same for products by a factor, whose bias may be special too.
func TestSpecialFactor(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(2)
		var f Factor
		for _, v := range []float32{nan, inf, -inf} {
			for _, tb := range flags {
				for at := range 3 {
					p, bias := s.factored(tb, [3]int{29, 39, 20}, true)
					i, j, l := s.IntN(p.m), s.IntN(p.n), s.IntN(p.k)
					switch at {
					case 0:
						*place(p.a, N, i, l) = v
					case 1:
						*place(p.b, tb, l, j) = v
					case 2:
						bias[j] = v
						for i := range p.m {
							*place(p.c, N, i, j) = v
						}
					}
					f.Set(tb, p.b)
					p.check(t, p.mul(&f, bias))
				}
			}
		}
	})
}

// TestAlphaZero: with alpha = 0 the factors are not read, as in the reference BLAS.
func TestAlphaZero(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(3)
		for _, beta := range []float32{0, 1, -0.6} {
			eachTrans(func(ta, tb Trans) {
				p := s.product(ta, tb, 20, 35, 12)
				p.alpha, p.beta = 0, beta
				blank(p.a)
				blank(p.b)
				p.check(t, p.done())
			})
		}
	})
}

// TestRange: products beyond the range of float32 become infinite or zero, and small ones become
// subnormal.
func TestRange(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for _, c := range []struct{ a, b, want float32 }{
			{0x1p100, 0x1p100, inf}, {-0x1p100, 0x1p100, -inf},
			{0x1p-80, 0x1p-80, 0}, {0x1p-70, 0x1p-70, 0x1p-140},
			{0x1p-149, 1, 0x1p-149}, {0x1p-130, 3, 3 * 0x1p-130},
		} {
			eachTrans(func(ta, tb Trans) {
				p := newSource(4).product(ta, tb, 17, 33, 1)
				for i := range p.m {
					*place(p.a, ta, i, 0) = c.a
				}
				for j := range p.n {
					*place(p.b, tb, 0, j) = c.b
				}
				got := p.done()
				for i := range p.m {
					for j, v := range row(got, i) {
						sameBits(
							t, fmt.Sprintf("%v: (%d, %d)", p, i, j), []float32{v},
							[]float32{c.want},
						)
					}
				}
			})
		}
	})
}
