package kernel

import "math"

// fma32 is x*y + z rounded once, as the vector instructions round it. The product of two float32
// is exact in float64; rounding the sum to float64 and then to float32 goes wrong only when the
// first rounding lands halfway between two float32, or where the result is subnormal.
func fma32(x, y, z float32) float32 {
	p := float64(x) * float64(y)
	s := p + float64(z)
	if b := math.Float64bits(s); b&(1<<29-1) == 1<<28 || b<<1 < minNormalBits {
		return fmaOdd(p, float64(z), s)
	}
	return float32(s)
}

// minNormalBits is the least normal float32 as the bits of a float64, the sign shifted out.
const minNormalBits = (1023 - 126) << 53

// fmaOdd rounds p + z to float32, where s is that sum rounded to float64: an inexact s is moved to
// the neighbour with an odd last bit, on the side of the exact sum, whose next rounding is right
// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
func fmaOdd(p, z, s float64) float32 {
	b := s - p
	lost := (p - (s - b)) + (z - b)
	bits := math.Float64bits(s)
	if lost != 0 && bits&1 == 0 {
		if (lost > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}
