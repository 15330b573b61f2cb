package kernel

import (
	"math"
	"testing"
)

// softmax64 is the documented loop in float64, of one row.
func softmax64(x []float64, scale float64) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, scale*v)
	}
	y := make([]float64, len(x))
	for j, v := range x {
		y[j] = math.Exp(scale*v - top)
		sum += y[j]
	}
	for j := range y {
		y[j] /= sum
	}
	return y
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func TestSoftmax(t *testing.T) {
	const scale = 3.5
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x := fill(n * d)
			y := guarded(t, n*d)
			Softmax(y, x, scale, d)
			var want []float64
			largest := 0.0
			for i := range n {
				want = append(want, softmax64(doubles(x[i*d:(i+1)*d]), scale)...)
			}
			for _, v := range x {
				largest = max(largest, math.Abs(scale*f(v)))
			}
			// In a power and in the sum: v, the maximum and their difference, which is at most two
			// of them, rounded, and 1.5 ulp of the exponential. Then the additions, the division
			// and the product.
			roundings := 2*(4*largest+2*expUlps) + float64(d/16+5) + 2
			near(
				t, "Softmax", y, roundings,
				func(i int) (float64, float64) { return want[i], want[i] },
			)
			inX := guardedCopy(t, x)
			Softmax(inX, inX, scale, d)
			same(t, "Softmax in place", inX, y)

			dy, dx := fill(n*d), guarded(t, n*d)
			SoftmaxBackward(dx, y, dy, scale, d)
			near(t, "SoftmaxBackward", dx, float64(d/16+9), func(i int) (float64, float64) {
				p, size := 0.0, 0.0
				for k := i / d * d; k < i/d*d+d; k++ {
					p += f(y[k]) * f(dy[k])
					size += math.Abs(f(y[k]) * f(dy[k]))
				}
				s := scale * f(y[i])
				return s * (f(dy[i]) - p), s * (math.Abs(f(dy[i])) + size)
			})
			inY, inDY := guardedCopy(t, y), guardedCopy(t, dy)
			SoftmaxBackward(inY, inY, dy, scale, d)
			same(t, "SoftmaxBackward in place of y", inY, dx)
			SoftmaxBackward(inDY, y, inDY, scale, d)
			same(t, "SoftmaxBackward in place of dy", inDY, dx)
		})
	})
}

// TestSoftmaxGradient: SoftmaxBackward is the derivative of sum g*softmax(scale*x), by differences.
func TestSoftmaxGradient(t *testing.T) {
	const scale, d, h = 0.7, 21, 1e-5
	x, g := fill(d), fill(d)
	y, dx := make([]float32, d), make([]float32, d)
	Softmax(y, x, scale, d)
	SoftmaxBackward(dx, y, g, scale, d)
	loss := func(x []float64) (sum float64) {
		for j, v := range softmax64(x, scale) {
			sum += v * f(g[j])
		}
		return sum
	}
	for j := range d {
		up, down := doubles(x), doubles(x)
		up[j] += h
		down[j] -= h
		// about ten roundings of numbers below 1, and h^2 of the difference
		if want := (loss(up) - loss(down)) / (2 * h); beyond(f(dx[j])-want, 1e-6) {
			t.Errorf("gradient %d is %v, want %v", j, dx[j], want)
		}
	}
}

// TestSoftmaxEdges: powers below -87 are as at -87; NaN, +Inf and a row of -Inf make their row NaN,
// and no other.
func TestSoftmaxEdges(t *testing.T) {
	inf := float32(math.Inf(1))
	eachPath(t, func(t *testing.T) {
		for _, d := range []int{1, 2, 16, 19, 40, 65} {
			for at := range d {
				for _, v := range []float32{float32(math.NaN()), inf, -inf, -100, -1e30} {
					x := constant(3*d, -2)
					x[d+at] = v
					if d == 1 && v == -inf {
						v = inf // nothing but -Inf
					}
					y := guarded(t, 3*d)
					Softmax(y, x, 1, d)
					for j, p := range y {
						want := 1 / float64(d)
						if row := j / d; row == 1 && !(v < inf) {
							want = math.NaN()
						} else if row == 1 && d > 1 {
							want = 1 / float64(d-1)
							if j == d+at {
								want *= math.Exp(-siluLimit)
							}
						}
						// three roundings, the additions, and 1.5 ulp; the smallest are denormal
						if beyond(f(p)-want, 12*0x1p-24*want+0x1p-149) && (want == want || p == p) {
							t.Fatalf("%v at %d of %d: y[%d] = %v, want %v", v, at, d, j, p, want)
						}
					}
				}
			}
		}
	})
}
