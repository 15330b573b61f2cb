package blas

import (
	"math"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// rounded is x in bf16, by arithmetic: 8 binary digits, to nearest even, and zero below the least
// factor.
func rounded(x float32) float32 {
	v := float64(x)
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return x
	}
	if math.Abs(v) < leastFactor {
		return float32(math.Copysign(0, v))
	}
	fraction, exponent := math.Frexp(v)
	return float32(math.Ldexp(math.RoundToEven(fraction*256)/256, exponent)) // may be infinite
}

// rest is the bf16 of what rounding leaves.
func rest(x float32) float32 {
	if math.IsInf(float64(x), 0) || math.IsInf(float64(rounded(x)), 0) {
		return 0
	}
	return rounded(x - rounded(x))
}

func mapped(x []float32, f func(float32) float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

// addTerms adds left times the rows of right to a row of c, as the precision says. Axpy is its
// multiply-add.
func addTerms(p Precision, c, left, right []float32) {
	switch p {
	case Float32:
		for l, a := range left {
			kernel.Axpy(c, a, right[l*len(c):][:len(c)])
		}
	case BF16:
		addGroups(c, mapped(left, rounded), mapped(right, rounded))
	case BF16x3:
		addSplit(c, left, right)
	case BF16Pairs:
		left, right = mapped(left, rounded), mapped(right, rounded)
		for j := 0; j < len(left); j += 2 {
			odd, row := float32(0), make([]float32, len(c))
			if j+1 < len(left) {
				odd, row = left[j+1], right[(j+1)*len(c):][:len(c)]
			}
			kernel.Axpy(c, odd, row)
			kernel.Axpy(c, left[j], right[j*len(c):][:len(c)])
		}
	}
}

// addGroups adds terms in groups of 32.
func addGroups(c, left, right []float32) {
	for lo := 0; lo < len(left); lo += 32 {
		sums := [2][]float32{make([]float32, len(c)), make([]float32, len(c))}
		for l := lo; l < min(lo+32, len(left)); l++ {
			kernel.Axpy(sums[l%2], left[l], right[l*len(c):][:len(c)])
		}
		for j := range c {
			c[j] += sums[0][j] + sums[1][j]
		}
	}
}

func addSplit(c, left, right []float32) {
	for lo := 0; lo < len(left); lo += 32 {
		hi := min(lo+32, len(left))
		a, b := left[lo:hi], right[lo*len(c):hi*len(c)]
		addGroups(c, mapped(a, rounded), mapped(b, rounded))
		addGroups(c, mapped(a, rounded), mapped(b, rest))
		addGroups(c, mapped(a, rest), mapped(b, rounded))
	}
}

// TestIn: only the native backend has other precisions, and an unknown one is refused with the
// names of those that there are.
func TestIn(t *testing.T) {
	for _, p := range Precisions {
		b, err := nativeBackend.In(p)
		if err != nil || b.Precision() != p || b.Name() != "native" || !b.CutFree() {
			t.Errorf("native in %s: %+v, error %v", p, b, err)
		}
		if again, err := b.In(Float32); err != nil || again != &nativeBackend {
			t.Errorf("native in %s and back: %+v, error %v", p, again, err)
		}
		b, err = gonumBackend.In(p)
		if p == Float32 && (err != nil || b != &gonumBackend) {
			t.Errorf("gonum in %s: %+v, error %v", p, b, err)
		}
		if p != Float32 && (err == nil || !strings.Contains(err.Error(), "native")) {
			t.Errorf("gonum in %s: error %v", p, err)
		}
	}
	if _, err := nativeBackend.In("fp8"); err == nil ||
		!strings.Contains(err.Error(), "float32, bf16, bf16-pairs, bf16x3") {
		t.Errorf("error %v", err)
	}
}

// TestInOfDefault: where a library is the default, native computes what it lacks, unless somebody
// named the library.
func TestInOfDefault(t *testing.T) {
	use(t, "gonum") // named, and forgotten at the end
	if _, err := In(BF16); err == nil {
		t.Error("gonum was named, and something else computes in bf16")
	}
	current.Store(&choice{backend: &gonumBackend})
	for p, want := range map[Precision]*Backend{Float32: &gonumBackend, BF16: natives[BF16]} {
		if got, err := In(p); got != want || err != nil {
			t.Errorf("%s: %+v, error %v", p, got, err)
		}
	}
}

// TestContinued: sums over k that are interrupted at whole groups, and go on from what c holds,
// have the bits of those that are not.
func TestContinued(t *testing.T) {
	eachNative(t, func(t *testing.T) {
		s := newSource(9)
		for _, at := range []int{32, 64, 96} {
			p := s.product(T, N, 20, 35, 117)
			parts := p.prepared()
			Default().Gemm(T, N, 1, sub(p.a, T, 0, p.m, 0, at).Left(),
				sub(p.b, N, 0, at, 0, p.n), 0, parts)
			Default().Gemm(T, N, 1, sub(p.a, T, 0, p.m, at, p.k).Left(),
				sub(p.b, N, at, p.k, 0, p.n), 1, parts)
			sameBits(t, p, parts.Data, p.done().Data)
		}
	})
}
