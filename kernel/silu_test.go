package kernel

import (
	"math"
	"testing"
)

// floats is every 4,093th float32 of both signs, all exponents, NaN and infinities included, and
// every 47th between -32 and -8, where the errors are largest.
func floats() []float32 {
	var x []float32
	for b := uint64(0); b < 1<<32; b += 4093 {
		x = append(x, math.Float32frombits(uint32(b)))
	}
	for v := float32(-32); v < -8; v = math.Float32frombits(math.Float32bits(v) - 47) {
		x = append(x, v)
	}
	return append(x, 0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()))
}

// TestSiLUError holds silu to its documented error: every 37th float32 gave 2.64 ulp, at -16.69.
func TestSiLUError(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		x := floats()
		y, zero := guarded(t, len(x)), make([]float32, len(x))
		s := guarded(t, len(x))
		AddSiLU(y, s, x, zero)
		var worst float64
		var at float32
		for i, v := range x {
			v := float64(v)
			want := v / (1 + math.Exp(-v))
			switch got := float64(y[i]); {
			case math.IsNaN(v) || math.IsInf(v, 1):
				if !(got == v || math.IsNaN(v) && math.IsNaN(got)) {
					t.Errorf("silu(%v) = %v", v, got)
				}
			case v < -87:
				if !(got <= 0 && got >= 1.65e-38*v) {
					t.Errorf("silu(%v) = %v, want between %v and 0", v, got, 1.65e-38*v)
				}
			default:
				if e := math.Abs(got-want) / ulp(want); !(e <= worst) && worst == worst {
					worst, at = e, x[i]
				}
			}
		}
		t.Logf("largest error %.2f ulp, at %v", worst, at)
		if !(worst <= 3) {
			t.Errorf("largest error %.2f ulp, at %v; want at most 3", worst, at)
		}
	})
}

// TestSiLUDerivative holds silu' to its documented error: every 37th float32 gave 9.75e-7, at
// 16.64, where 1 - sigmoid has lost all but one bit and is multiplied by x.
func TestSiLUDerivative(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		x := floats()
		dx := guarded(t, len(x))
		SiLUBackward(dx, x, constant(len(x), 1))
		for i, v := range x {
			v := float64(v)
			got := float64(dx[i])
			switch {
			case math.IsNaN(v) || math.IsInf(v, 1):
				if !math.IsNaN(got) {
					t.Errorf("silu'(%v) = %v, want NaN", v, got)
				}
			case math.IsInf(v, -1):
				if got != v {
					t.Errorf("silu'(%v) = %v, want -Inf", v, got)
				}
			case math.Abs(v) < 1e30:
				sp, sn := 1/(1+math.Exp(-v)), 1/(1+math.Exp(v))
				if want := sp * (1 + v*sn); beyond(got-want, 1e-6) {
					t.Errorf("silu'(%v) = %v, want %v", v, got, want)
				}
			}
		}
	})
}

func TestSiLUShapes(t *testing.T) {
	silu := func(v float32) float64 { return float64(v) / (1 + math.Exp(-float64(v))) }
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x0, b := fill(n*d), fill(d)
			x, y := guardedCopy(t, x0), guarded(t, n*d)
			BiasSiLU(y, x, b)
			near(t, "BiasSiLU x", x, 1, func(i int) (float64, float64) {
				v := float64(x0[i]) + float64(b[i%d])
				return v, math.Abs(v)
			})
			near(t, "BiasSiLU y", y, 6, func(i int) (float64, float64) { return silu(x[i]), math.Abs(silu(x[i])) })

			h, e, s := fill(n*d), fill(n*d), guarded(t, n*d)
			AddSiLU(y, s, h, e)
			near(t, "AddSiLU s", s, 1, func(i int) (float64, float64) {
				v := float64(h[i]) + float64(e[i])
				return v, math.Abs(v)
			})
			near(t, "AddSiLU y", y, 6, func(i int) (float64, float64) { return silu(s[i]), math.Abs(silu(s[i])) })

			dy, dx := fill(n*d), guarded(t, n*d)
			SiLUBackward(dx, h, dy)
			near(t, "SiLUBackward", dx, 1, func(i int) (float64, float64) {
				v, g := float64(h[i]), float64(dy[i])
				s := 1 / (1 + math.Exp(-v))
				return g * s * (1 + v*(1-s)), 17 * math.Abs(g) // 17*2^-24 = 1e-6
			})
			inX, inDY := guardedCopy(t, h), guardedCopy(t, dy)
			SiLUBackward(inX, inX, dy)
			same(t, "SiLUBackward in place of x", inX, dx)
			SiLUBackward(inDY, h, inDY)
			same(t, "SiLUBackward in place of dy", inDY, dx)
		})
	})
}

// TestSinusoids: the error is that of one rounding, 2^-25, on the generic path; the bound is the
// documented one.
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
