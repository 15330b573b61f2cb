package kernel

import (
	"math"
	"testing"
)

// nearSiLU sees to it that y and s are silu and its derivative at t, within the largest errors that
// TestSiLUAccuracy allows: 3.6 ulp, each at most 2^-23 of the value, and 2.5e-7.
func nearSiLU(t *testing.T, what string, y, s []float32, at func(i int) float32) {
	t.Helper()
	value := func(v float32) float64 { return float64(v) / (1 + math.Exp(-float64(v))) }
	slope := func(v float32) float64 {
		s := 1 / (1 + math.Exp(-float64(v)))
		return s * (1 + float64(v)*(1-s))
	}
	near(
		t, what+" y", y, 2*siluUlps,
		func(i int) (float64, float64) { return value(at(i)), math.Abs(value(at(i))) },
	)
	near(
		t, what+" s", s, siluDError/0x1p-24,
		func(i int) (float64, float64) { return slope(at(i)), 1 },
	)
}

// TestSiLUShapes is for all activations, in place too.
func TestSiLUShapes(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x, e, a, b := fill(n*d), fill(n*d), fill(d), fill(d)
			y, s := guarded(t, n*d), guardedCopy(t, x)
			SiLU(y, s)
			nearSiLU(t, "SiLU", y, s, func(i int) float32 { return x[i] })

			SumSiLU(y, s, x, e)
			nearSiLU(t, "SumSiLU", y, s, func(i int) float32 { return x[i] + e[i] })
			inX, inE := guardedCopy(t, x), guardedCopy(t, e)
			SumSiLU(inE, inX, inX, inE)
			same(t, "SumSiLU in place, y", inE, y)
			same(t, "SumSiLU in place, s", inX, s)

			AffineSiLU(y, s, x, a, b)
			nearSiLU(
				t, "AffineSiLU", y, s,
				func(i int) float32 { return fma32(x[i], a[i%d], b[i%d]) },
			)
			inX, other := guardedCopy(t, x), guarded(t, n*d)
			AffineSiLU(other, inX, inX, a, b)
			same(t, "AffineSiLU, s in place", inX, s)
			inX = guardedCopy(t, x)
			AffineSiLU(inX, other, inX, a, b)
			same(t, "AffineSiLU, y in place", inX, y)
		})
	})
}

// TestSiLUBackward is for both gradients, in place too.
func TestSiLUBackward(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x, s, dy, dx := fill(n*d), fill(n*d), fill(n*d), guarded(t, n*d)
			SiLUBackward(dx, s, dy)
			near(t, "SiLUBackward", dx, 1, func(i int) (float64, float64) {
				v := f(s[i]) * f(dy[i])
				return v, math.Abs(v)
			})
			inS, inDY := guardedCopy(t, s), guardedCopy(t, dy)
			SiLUBackward(inS, inS, dy)
			same(t, "SiLUBackward in place of s", inS, dx)
			SiLUBackward(inDY, s, inDY)
			same(t, "SiLUBackward in place of dy", inDY, dx)

			dx = guardedCopy(t, x)
			SiLUBackwardAdd(dx, s, dy)
			near(t, "SiLUBackwardAdd", dx, 1, func(i int) (float64, float64) {
				p := f(s[i]) * f(dy[i])
				return f(x[i]) + p, math.Abs(f(x[i])) + math.Abs(p)
			})
		})
	})
}

// TestSinusoids holds every shape to the documented error.
func TestSinusoids(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, f := range []int{0, 1, 3, 16, 32, 33} {
			for _, n := range []int{0, 1, 7} {
				lambda, freq := fill(n), fill(f)
				for i := range freq {
					freq[i] *= 100
				}
				dst := guarded(t, 2*n*f)
				Sinusoids(dst, lambda, freq)
				for i := range dst {
					row, k := i/(2*f), i%(2*f)
					want := math.Sin(float64(lambda[row] * freq[k%f]))
					if k >= f {
						want = math.Cos(float64(lambda[row] * freq[k-f]))
					}
					if beyond(float64(dst[i])-want, 1e-7) {
						t.Fatalf("row %d, column %d of %d: %v, want %v", row, k, 2*f, dst[i], want)
					}
				}
			}
		}
	})
}
