package products

import (
	"math"

	"github.com/plume-ml/plume/blas"
)

// matrix is numbers at row*rs + column*cs.
type matrix struct {
	x      []float32
	rs, cs int
}

func (m matrix) at(i, j int) float64 { return float64(m.x[i*m.rs+j*m.cs]) }

// comparison is a product a b of depth k, and what was computed in its place.
type comparison struct {
	a, b           matrix
	got            []float32
	columns, depth int
}

// compare returns the largest error of a sum beside that of the factors in the precision, in 2^-24
// of the sum of the terms' sizes, and the mean square error beside the sums of the factors as they
// are.
func (c comparison) compare(p blas.Precision) (worst, square float64) {
	for i, v := range c.got {
		var sum, size, truth float64
		for k := range c.depth {
			a, b := c.a.at(i/c.columns, k), c.b.at(k, i%c.columns)
			truth += a * b
			for _, term := range terms(p, a, b) {
				sum += term
				size += math.Abs(term)
			}
		}
		worst = max(worst, math.Abs(float64(v)-sum)/(0x1p-24*size))
		square += (float64(v) - truth) * (float64(v) - truth) / float64(len(c.got))
	}
	return worst, square
}

// terms are what a precision adds for a product of two numbers.
func terms(p blas.Precision, a, b float64) [3]float64 {
	switch p {
	case blas.BF16, blas.BF16Pairs:
		return [3]float64{bf16(a) * bf16(b)}
	case blas.BF16x3:
		return [3]float64{
			bf16(a) * bf16(b), bf16(a) * bf16(b-bf16(b)), bf16(a-bf16(a)) * bf16(b),
		}
	}
	return [3]float64{a * b}
}

// bf16 is v rounded to 8 bits, to nearest even, and to zero below 2^-56.
func bf16(v float64) float64 {
	if math.Abs(v) < 0x1p-56 {
		return 0
	}
	m, e := math.Frexp(v)
	return math.Ldexp(math.RoundToEven(m*256)/256, e)
}

// sumBound bounds the error of a float32 sum of products of depth k, in 2^-24 of the terms' sizes,
// in any order: each term meets at most one rounding for each other term, and BF16x3 has three
// terms in the place of one. Some more for the second order of 2^-24.
func sumBound(k int) float64 { return 1.01 * float64(3*k) }

// factorError is the mean square of r(a) r(b) - a b for standard normals a and b, rounded to 8 bits
// by r. Between powers of two the roundings are equally far apart, and the error of one is uniform.
func factorError() float64 {
	var one float64
	for e := -56; e < 4; e++ {
		within := math.Erf(math.Ldexp(1, e+1)/math.Sqrt2) - math.Erf(math.Ldexp(1, e)/math.Sqrt2)
		spacing := math.Ldexp(1, e-7)
		one += within * spacing * spacing / 12
	}
	return 2*one + one*one
}
