package products

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plume-ml/plume/blas"
)

// TestBF16: halves go to the even neighbour, a carry reaches the exponent, and small numbers are
// zero.
func TestBF16(t *testing.T) {
	for _, c := range []struct{ v, want float64 }{
		{1, 1}, {-1.5, -1.5}, {0, 0},
		{1 + 0x1p-8, 1}, {1 + 0x3p-8, 1 + 0x1p-6}, {1 + 0x1.1p-8, 1 + 0x1p-7},
		{2 - 0x1p-9, 2}, {-(2 - 0x1p-9), -2},
		{0x1p-56, 0x1p-56}, {0x1.fp-57, 0}, {-0x1.fp-57, 0},
	} {
		if got := bf16(c.v); got != c.want {
			t.Errorf("%v becomes %v, want %v", c.v, got, c.want)
		}
	}
	// hi + lo leaves an error below 2^-16 of the number.
	sum := 0.0
	for _, term := range terms(blas.BF16x3, math.Pi, math.E) {
		sum += term
	}
	if d := math.Abs(sum/(math.Pi*math.E) - 1); d == 0 || d > 3*0x1p-16 {
		t.Errorf("split factors are off by %v", d)
	}
}

// TestFactorError: the closed form is the mean over 10^6 products, whose squares have a relative
// standard deviation below 4.
func TestFactorError(t *testing.T) {
	const n = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	var mean float64
	for range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		d := bf16(a)*bf16(b) - a*b
		mean += d * d / n
	}
	if got := mean / factorError(); math.Abs(got-1) > 4*4/math.Sqrt(n) {
		t.Errorf("%v of the closed form", got)
	}
}
