package blas

import (
	"fmt"
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// product is one call of Gemm.
type product struct {
	ta, tb      Trans
	m, n, k     int
	alpha, beta float32
	a, b, c     Matrix
}

func (p *product) String() string {
	return fmt.Sprintf(
		"%s, ta %v, tb %v, m %d, n %d, k %d, alpha %v, beta %v, strides %d, %d, %d", Default().name,
		p.ta, p.tb, p.m, p.n, p.k, p.alpha, p.beta, p.a.Stride, p.b.Stride, p.c.Stride,
	)
}

// product draws the factors of op(a) op(b), and c.
func (s *source) product(ta, tb Trans, m, n, k int) *product {
	ra, ca := dims(m, k, ta)
	rb, cb := dims(k, n, tb)
	return &product{ta, tb, m, n, k, 1, 0, s.spread(ra, ca), s.spread(rb, cb), s.spread(m, n)}
}

// scalars are values for alpha and beta: special ones, and others.
var scalars = [][2]float32{
	{1, 0}, {-0.7, 0.3}, {1, 1}, {0, 0}, {1.5, 0}, {1, -2}, {0, 1}, {-1, 1}, {0, 0.7},
}

// with is the product with pair number i of the scalars, any i.
func (p *product) with(i int) *product {
	p.alpha, p.beta = scalars[i%len(scalars)][0], scalars[i%len(scalars)][1]
	return p
}

// prepared is c before the product: NaN where the product may not use it.
func (p *product) prepared() Matrix {
	c := copyOf(p.c)
	if p.beta == 0 {
		blank(c)
	}
	return c
}

func (p *product) done() Matrix {
	c := p.prepared()
	Default().Gemm(p.ta, p.tb, p.alpha, p.a.Left(), p.b, p.beta, c)
	return c
}

// slack is the largest relative error of n roundings, one after the other (Higham 2002, lemma 3.1).
func slack(n int) float64 {
	const unit = 0x1p-24 // of one rounding
	return float64(n) * unit / (1 - float64(n)*unit)
}

// want is element (i, j) in float64, and the tolerance for float32 that adds the terms in any
// order: no term is rounded more than k+3 times, in two products (with a or b, and with alpha) and
// in at most k+1 sums.
func (p *product) want(i, j int) (sum, tol float64) {
	size := 0.0
	if p.beta != 0 {
		sum = float64(p.beta) * float64(at(p.c, N, i, j))
		size = math.Abs(sum)
	}
	left, right := line(p.a, p.ta, i), line(p.b, !p.tb, j)
	for l := 0; l < p.k && p.alpha != 0; l++ {
		v := float64(p.alpha) * float64(left.at(l)) * float64(right.at(l))
		sum, size = sum+v, size+math.Abs(v)
	}
	return sum, slack(p.k+3) * size
}

// near reports that got is want within tol, or exactly if want is not finite.
func near(got float32, want, tol float64) bool {
	g := float64(got)
	switch {
	case math.IsNaN(want):
		return math.IsNaN(g)
	case math.IsInf(want, 0):
		return g == want
	}
	return math.Abs(g-want) <= tol
}

// check compares what c became with the sums in float64.
func (p *product) check(t *testing.T, got Matrix) {
	t.Helper()
	for i := range p.m {
		for j := range p.n {
			if want, tol := p.want(i, j); !near(at(got, N, i, j), want, tol) {
				t.Fatalf(
					"%v: element (%d, %d) is %v, want %v within %.2g", p, i, j, at(got, N, i, j),
					want, tol,
				)
			}
		}
	}
	samePadding(t, p, got, p.c)
}

// chain is c after the product as the native backend documents it: a row of c is beta times what
// it was, and takes a[i,l] times row l of alpha b, l in order, by Axpy.
func (p *product) chain() Matrix {
	c := copyOf(p.c)
	right := p.right()
	for i := range p.m {
		sum := row(c, i)
		for j := range sum {
			if p.beta == 0 {
				sum[j] = 0
				continue
			}
			sum[j] *= p.beta
		}
		for l := 0; l < p.k && p.alpha != 0; l++ {
			kernel.Axpy(sum, at(p.a, p.ta, i, l), right[l*p.n:][:p.n])
		}
	}
	return c
}

// right is alpha op(b).
func (p *product) right() []float32 {
	x := make([]float32, p.k*p.n)
	for at := range x {
		x[at] = p.alpha * *place(p.b, p.tb, at/p.n, at%p.n)
	}
	return x
}

// checkChain compares c with the chains, bit for bit.
func (p *product) checkChain(t *testing.T, got Matrix) {
	t.Helper()
	want := p.chain()
	for i := range p.m {
		sameBits(t, fmt.Sprintf("%v: row %d", p, i), row(got, i), row(want, i))
	}
	samePadding(t, p, got, p.c)
}
