package likelihood

import "math"

// exp is e^x, with the same bits on every processor, which [math.Exp] does not promise: where it is
// in assembly, sums and products are fused. Its relative error is below 1e-15. Arguments are
// clamped to [-700, 700], where neither the result nor its inverse overflows.
func exp(x float64) float64 {
	x = max(-700, min(700, x))
	n := math.Floor(float64(x*math.Log2E) + 0.5)
	// x = n ln 2 + r, with ln 2 in two parts of which the first has few bits.
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	r := float64(x-float64(n*high)) - float64(n*low)
	sum := 1.0 // of r^k/k!, from the last term on; r is at most ln 2 / 2
	for k := 13.0; k > 0; k-- {
		sum = 1 + float64(sum*(r/k))
	}
	return math.Ldexp(sum, int(n))
}
