package blas

import (
	"math"
	"testing"
)

// beyondBlocks are sizes m, n, k at and beyond the blocks of the native backend, thin in the other
// directions.
var beyondBlocks = [][3]int{
	{2, 5, blockK}, {5, 37, blockK + 1}, {1, 3, 2*blockK + 1},
	{blockM, 17, 3}, {blockM + 1, 33, 5}, {2*blockM + 1, 2, 40},
	{3, blockN, 2}, {2, blockN + 1, 3}, {1, 2*blockN + 7, 1},
	{blockM + 1, 18, blockK + 3}, {1, blockN + 1, blockK + 1}, {blockM + 1, blockN + 1, 2},
}

// wideStrides are leading dimensions on both sides of those at which the native backend packs its
// left factor.
var wideStrides = []int{1023, 1024, 1025, 1500, 2048, 3072}

// wide is the product with a left factor of this stride, or of its own if that is larger.
func (s *source) wide(p *product, stride int) *product {
	p.a = s.matrix(p.a.Rows, p.a.Cols, max(stride, p.a.Stride))
	return p
}

// sizes are three random numbers from 1 to most.
func (s *source) sizes(most int) [3]int {
	return [3]int{1 + s.IntN(most), 1 + s.IntN(most), 1 + s.IntN(most)}
}

// drawn is random shapes, from 1 to 90 and from 1 to 300, and some that are empty or a single
// number.
func (s *source) drawn() [][3]int {
	shapes := [][3]int{
		{1, 1, 1}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {40, 40, 0}, {0, 0, 0}, {1, 70, 1}, {70, 1, 70},
	}
	for range 10 {
		shapes = append(shapes, s.sizes(90))
	}
	for range 2 {
		large := s.sizes(300)
		large[s.IntN(3)] = 9
		shapes = append(shapes, large)
	}
	return shapes
}

// TestGemm: products are those in float64, within the error of their roundings.
func TestGemm(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s, pair := newSource(1), 0
		check := func(p *product) {
			t.Helper()
			p.check(t, p.with(pair).done())
			pair++
		}
		drawn := s.drawn()
		eachTrans(func(ta, tb Trans) {
			for _, d := range drawn {
				for range 3 {
					check(s.product(ta, tb, d[0], d[1], d[2]))
				}
			}
			for _, d := range beyondBlocks {
				check(s.product(ta, tb, d[0], d[1], d[2]))
			}
			for _, stride := range wideStrides {
				check(s.wide(s.product(ta, tb, 30, 20, 40), stride))
			}
		})
	})
}

// TestScalars: every pair of alpha and beta, for all flags.
func TestScalars(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(2)
		eachTrans(func(ta, tb Trans) {
			for i := range scalars {
				for _, k := range []int{0, 1, 37} {
					p := s.product(ta, tb, 21, 35, k).with(i)
					p.check(t, p.done())
				}
			}
		})
	})
}

// TestGemmError: an error of twice the bound is seen, and the bound is too small to hide a missing
// term.
func TestGemmError(t *testing.T) {
	p := newSource(3).product(N, T, 4, 5, 6)
	want, tol := p.want(2, 3)
	least := math.Inf(1) // of the magnitudes of the terms
	for l := range p.k {
		least = min(least, math.Abs(float64(at(p.a, p.ta, 2, l))*float64(at(p.b, p.tb, l, 3))))
	}
	if !(tol > 0 && tol < least/2) {
		t.Fatalf("the tolerance is %v, the smallest term %v", tol, least)
	}
	for _, c := range []struct {
		off  float64
		near bool
	}{
		{0, true}, {tol / 2, true}, {2 * tol, false}, {-2 * tol, false}, {math.NaN(), false},
		{math.Inf(1), false},
	} {
		if near(float32(want+c.off), want, tol) != c.near {
			t.Errorf("%v away from %v within %v: want %v", c.off, want, tol, c.near)
		}
	}
}
