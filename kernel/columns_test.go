package kernel

import (
	"math"
	"testing"
)

func TestColSum(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, d := range widths() {
			for _, n := range []int{0, 1, 2, 9} {
				for _, lo := range []int{0, d / 3} { // columns lo to d, of rows of d+2
					stride := d + 2
					all := fill(n * stride)
					x := all
					if n > 0 {
						// the last row ends with the last summed column
						x = all[lo : (n-1)*stride+d]
					}
					dst := guarded(t, d-lo)
					ColSum(dst, x, stride, 0.3)
					near(t, "ColSum", dst, float64(n+2), func(j int) (sum, size float64) {
						for i := range n {
							v := f(float32(0.3)) * f(all[i*stride+lo+j])
							sum += v
							size += math.Abs(v)
						}
						return sum, size
					})
				}
			}
		}
		var none [3]float32
		ColSum(none[:], nil, 3, 1)
		same(t, "ColSum of no rows", none[:], make([]float32, 3))
	})
}

// TestColSumGoesOn: a sum over two arrays is the sum over their rows in one.
func TestColSumGoesOn(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, d := range widths() {
			const first, stride, n = 3, 201, 8
			x := fill(n * stride)
			whole, parts := guarded(t, d), guarded(t, d)
			ColSum(whole, x, stride, 1)
			ColSum(parts, x[:first*stride], stride, 1)
			ColSumAdd(parts, x[first*stride:], stride)
			same(t, "ColSumAdd", parts, whole)
		}
	})
}

// TestColumnSums compares with the documented chains, of rows that are longer than one call handles
// too, and these with float64.
func TestColumnSums(t *testing.T) {
	check := func(t *testing.T, n, d int) {
		x, y, m := fill(n*d), fill(n*d), fill(d)
		dot, squares := make([]float32, d), make([]float32, d)
		for i := range n {
			for j := range d {
				dot[j] = fma32(x[i*d+j], y[i*d+j], dot[j])
				diff := x[i*d+j] - m[j]
				squares[j] = fma32(diff, diff, squares[j])
			}
		}
		got := guarded(t, d)
		ColDot(got, x, y)
		same(t, "ColDot", got, dot)
		ColSquares(got, x, m)
		same(t, "ColSquares", got, squares)
		near(t, "ColDot", dot, float64(n), func(j int) (sum, size float64) {
			for i := range n {
				v := f(x[i*d+j]) * f(y[i*d+j])
				sum += v
				size += math.Abs(v)
			}
			return sum, size
		})
		// the difference is rounded once, which its square has twice
		near(t, "ColSquares", squares, float64(n+2), func(j int) (sum, size float64) {
			for i := range n {
				diff := f(x[i*d+j]) - f(m[j])
				sum += diff * diff
			}
			return sum, sum
		})
	}
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) { check(t, n, d) })
		check(t, 3, MaxRow/2-2)
		check(t, 2, MaxRow+5)
	})
}

func TestAffine(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x, dy, dx0, a, b, c := fill(n*d), fill(n*d), fill(n*d), fill(d), fill(d), fill(d)
			y := guarded(t, n*d)
			Affine(y, x, a, b)
			near(t, "Affine", y, 1, func(i int) (float64, float64) {
				p, q := f(x[i])*f(a[i%d]), f(b[i%d])
				return p + q, math.Abs(p) + math.Abs(q)
			})
			inX := guardedCopy(t, x)
			Affine(inX, inX, a, b)
			same(t, "Affine in place", inX, y)

			grad := func(i int) (float64, float64) {
				p, q, r := f(dy[i])*f(a[i%d]), f(x[i])*f(b[i%d]), f(c[i%d])
				return p + q + r, math.Abs(p) + math.Abs(q) + math.Abs(r)
			}
			dx := guarded(t, n*d)
			AffineGrad(dx, dy, x, a, b, c)
			near(t, "AffineGrad", dx, 2, grad)
			inDY, inX := guardedCopy(t, dy), guardedCopy(t, x)
			AffineGrad(inDY, inDY, x, a, b, c)
			same(t, "AffineGrad in place of dy", inDY, dx)
			AffineGrad(inX, dy, inX, a, b, c)
			same(t, "AffineGrad in place of x", inX, dx)

			sum := guardedCopy(t, dx0)
			AffineGradAdd(sum, dy, x, a, b, c)
			for i := range sum {
				sum[i] -= dx0[i] + dx[i]
			}
			same(t, "AffineGradAdd beyond AffineGrad", sum, make([]float32, n*d))
		})
	})
}
