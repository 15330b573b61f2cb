package blas

import (
	"fmt"
	"math"
	"testing"
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
		"%s in %s, ta %v, tb %v, m %d, n %d, k %d, alpha %v, beta %v, strides %d, %d, %d",
		Default().name, Default().Precision(), p.ta, p.tb, p.m, p.n, p.k, p.alpha, p.beta,
		p.a.Stride, p.b.Stride, p.c.Stride,
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
// in at most k+1 sums; three times as often if factors are split. Rounded factors have tolerances
// of their own.
func (p *product) want(i, j int) (sum, tol float64) {
	size, rest := 0.0, 0.0
	if p.beta != 0 {
		sum = float64(p.beta) * float64(at(p.c, N, i, j))
		size = math.Abs(sum)
	}
	left, right := line(p.a, p.ta, i), line(p.b, !p.tb, j)
	for l := 0; l < p.k && p.alpha != 0; l++ {
		a, b := float64(left.at(l)), float64(p.alpha)*float64(right.at(l))
		sum, size = sum+a*b, size+math.Abs(a*b)
		rest += (math.Abs(a) + math.Abs(b)) * leastFactor
	}
	precision := Default().Precision()
	times := p.k
	switch precision {
	case Float32:
		rest = 0
	case BF16x3:
		times *= 3
	}
	return sum, (slack(times+3)+roundingErrors[precision])*size + rest
}

// leastFactor is the magnitude below which factors become zero. roundingErrors are the relative
// errors of a product of two factors, each rounded by at most u = 2^-8, or split so that each loses
// u^2 and the product of the second parts is left out.
const leastFactor = 0x1p-56

var roundingErrors = map[Precision]float64{
	BF16: 2.01 * 0x1p-8, BF16Pairs: 2.01 * 0x1p-8, BF16x3: 3.01 * 0x1p-16,
}

// near reports that got is want within tol, or exactly if want is not finite.
func near(got float32, want, tol float64) bool {
	g := float64(got)
	switch {
	case math.IsNaN(want):
		return math.IsNaN(g)
	case math.IsInf(want, 0):
		// The second part of a factor may be 0, which infinity makes NaN.
		return g == want || Default().Precision() == BF16x3 && math.IsNaN(g)
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
// it was, and takes terms, in the order of the precision.
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
		if p.alpha != 0 && p.n > 0 {
			left := make([]float32, p.k)
			for l := range left {
				left[l] = at(p.a, p.ta, i, l)
			}
			addTerms(Default().Precision(), sum, left, right)
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
	p.sameRows(t, got, p.chain())
}

// checkFactor does so for a product by a factor. A bias is what chains start from in float32, and
// added to the sums in other precisions.
func (p *product) checkFactor(t *testing.T, got Matrix, bias []float32) {
	t.Helper()
	if bias == nil || Default().Precision() == Float32 {
		p.checkChain(t, got)
		return
	}
	from := *p
	from.beta = 0
	want := from.chain()
	for i := range want.Rows {
		for j, v := range bias {
			row(want, i)[j] += v
		}
	}
	p.sameRows(t, got, want)
}

// checkAdded does so for a product by a factor that is added to what c holds if beta is 1.
func (p *product) checkAdded(t *testing.T, got Matrix) {
	t.Helper()
	if p.beta == 0 || Default().Precision() == Float32 {
		p.checkChain(t, got)
		return
	}
	from := *p
	from.beta = 0
	want := from.chain()
	for i := range want.Rows {
		for j, v := range row(p.c, i) {
			row(want, i)[j] += v
		}
	}
	p.sameRows(t, got, want)
}

func (p *product) sameRows(t *testing.T, got, want Matrix) {
	t.Helper()
	for i := range p.m {
		sameBits(t, fmt.Sprintf("%v: row %d", p, i), row(got, i), row(want, i))
	}
	samePadding(t, p, got, p.c)
}
