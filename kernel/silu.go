package kernel

import "math"

// Beyond siluLimit, exp(-x) or its inverse would leave the range of normal numbers.
const siluLimit = 87

const (
	perOctave   = -0x1.715476p+3 // -8/ln 2
	perOctaveLo = -0x1.4ae0cp-23 // what that rounding lost
	roundMagic  = 0x1.8p23       // adding it rounds to an integer, kept in the low bits
)

// eighths has the bits of 2^(j/8) minus j<<20.
var eighths = func() (t [8]uint32) {
	for j := range t {
		t[j] = math.Float32bits(float32(math.Exp2(float64(j)/8))) - uint32(j)<<20
	}
	return t
}()

// expNeg is exp(-w) = p*e for |w| <= siluLimit: with n = round(-8 w/ln 2), e = 2^(n/8) from the
// table and an exponent, p = 2^(r/8) for the rest r by a minimax polynomial (relative error
// 2.6e-8).
func expNeg(w float32) (p, e float32) {
	t := fma32(w, perOctave, roundMagic)
	r := fma32(w, perOctave, roundMagic-t)
	r = fma32(w, perOctaveLo, r)
	p = fma32(0x1.c690dep-14, r, 0x1.ec0c22p-9)
	p = fma32(p, r, 0x1.62e432p-4)
	p = fma32(p, r, 1)
	n := math.Float32bits(t)
	return p, math.Float32frombits(eighths[n%8] + n<<20)
}

// silu is x/(1 + exp(-x)) and its derivative s + x s (1-s), s the sigmoid: exp(-x) s is 1-s without
// cancellation.
func silu(x float32) (y, d float32) {
	if x <= -siluLimit {
		x = -siluLimit
	}
	w := x
	if w >= siluLimit {
		w = siluLimit
	}
	p, e := expNeg(w)
	s := 1 / fma32(p, e, 1)
	q := float32(p*e) * s
	return x * s, s * fma32(q, w, 1)
}
