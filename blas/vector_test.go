package blas

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// column is x as a matrix of one column.
func column(x []float32) Matrix { return Dense(x, len(x), 1) }

// vectors is y = alpha op(a) x + beta y as a product.
func (s *source) vectors(ta Trans, m, k int) *product {
	rows, cols := dims(m, k, ta)
	return &product{ta: ta, m: m, n: 1, k: k, a: s.spread(rows, cols), b: column(s.fill(k)), c: column(s.fill(m))}
}

// gemv is y after the product.
func (p *product) gemv() Matrix {
	y := p.prepared()
	Gemv(p.ta, p.alpha, p.a, p.b.Data, p.beta, y.Data)
	return y
}

// outer is a += alpha x y^T as a product, c being a.
func (s *source) outer(m, n int) *product {
	return &product{m: m, n: n, k: 1, beta: 1, a: column(s.fill(m)), b: Dense(s.fill(n), 1, n), c: s.spread(m, n)}
}

// ger is a after the sum.
func (p *product) ger() Matrix {
	a := copyOf(p.c)
	Ger(p.alpha, p.a.Data, p.b.Data, a)
	return a
}

var vectorShapes = [][2]int{{1, 1}, {0, 4}, {4, 0}, {0, 0}, {1, 90}, {90, 1}, {200, 33}, {15, 17}, {64, 300}}

func (s *source) vectorShapes() [][2]int {
	shapes := slices.Clone(vectorShapes)
	for range 12 {
		shapes = append(shapes, [2]int{1 + s.IntN(90), 1 + s.IntN(90)})
	}
	return shapes
}

// TestGemv: products with a vector are those in float64.
func TestGemv(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		s := newSource(1)
		for _, d := range s.vectorShapes() {
			for _, ta := range flags {
				for i := range scalars {
					p := s.vectors(ta, d[0], d[1]).with(i)
					p.check(t, p.gemv())
				}
			}
		}
	})
}

// TestGer: so are sums with a product of vectors.
func TestGer(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		s := newSource(2)
		for _, d := range s.vectorShapes() {
			for _, alpha := range []float32{1, 0, -0.6} {
				p := s.outer(d[0], d[1])
				p.alpha = alpha
				p.check(t, p.ger())
			}
		}
	})
}

// rounded is y after the product, every sum of a row times alpha rounded before it is added, or in steps of Axpy.
func (p *product) rounded() Matrix {
	y, x := copyOf(p.c), p.b.Data
	y.scale(p.beta)
	for i := 0; i < p.a.Rows && p.alpha != 0; i++ {
		if p.ta {
			kernel.Axpy(y.Data, p.alpha*x[i], row(p.a, i))
		} else {
			y.Data[i] += float32(p.alpha * kernel.Dot(row(p.a, i), x))
		}
	}
	return y
}

// TestNativeVectors: the bits of the native products with vectors do not depend on the machine.
func TestNativeVectors(t *testing.T) {
	use(t, "native")
	s := newSource(3)
	for i, d := range s.vectorShapes() {
		for _, ta := range flags {
			p := s.vectors(ta, d[0], d[1]).with(i)
			sameBits(t, p, p.gemv().Data, p.rounded().Data)
		}
		p := s.outer(d[0], d[1]).with(i)
		want := copyOf(p.c)
		for i, x := range p.a.Data {
			if p.alpha != 0 {
				kernel.Axpy(row(want, i), p.alpha*x, p.b.Data)
			}
		}
		sameBits(t, p, p.ger().Data, want.Data)
	}
}
