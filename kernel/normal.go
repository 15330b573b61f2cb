package kernel

import "math"

// The normals of the stream are defined by the operations below, in their order, each rounded once
// to float32 (trainer/ALGORITHM.md section 9). A path that follows them gives the same bits, so
// neither the polynomials nor their order may change without changing every run.

const (
	ln2Hi = 0x1.62e4p-1           // leading bits of ln 2: a small integer times it is exact
	ln2Lo = 0x1.7f7d1cf79abcap-20 // ln 2 - ln2Hi

	sqrtHalfBits = 0x3f3504f3 // bits of float32(sqrt(1/2))
)

// radius is sqrt(-2 ln u) for u = ((w >> 8) + 1) * 2^-24 in (0, 1].
func radius(w uint32) float32 {
	u := math.Float32bits(float32(w>>8+1) * 0x1p-24)
	e := int32(u-sqrtHalfBits) >> 23 // u = 2^e m, m in [sqrt(1/2), sqrt(2))
	f := math.Float32frombits(u-uint32(e)<<23) - 1
	n := float32(e)

	// -2 ln m = -2f + f^2 + f^3 p(f), p a minimax polynomial (relative error 6e-9), its terms in
	// pairs (Estrin's scheme).
	f2 := float32(f * f)
	p01 := fma32(0x1.000226p-1, f, -0x1.555554p-1)
	p23 := fma32(0x1.547244p-2, f, -0x1.99a008p-2)
	p45 := fma32(0x1.0d8542p-2, f, -0x1.22da1cp-2)
	p67 := fma32(0x1.38b582p-3, f, -0x1.055b6cp-2)
	p := fma32(fma32(p67, f2, p45), float32(f2*f2), fma32(p23, f2, p01))
	large := fma32(-2, f, n*(-2*ln2Hi))
	small := fma32(n, -2*ln2Lo, f2)
	small = fma32(float32(f*f2), p, small)
	return sqrt32(large + small)
}

// sincosPi is the sine and cosine of pi * int32(w) * 2^-31. It subtracts the nearest quarter turn
// in integers, exactly.
func sincosPi(w uint32) (sin, cos float32) {
	q := (w + 1<<29) >> 30
	return sincos(float32(int32(w-q<<30))*float32(math.Pi*0x1p-31), q)
}

// sincos is the sine and cosine of x plus q quarter turns, x in [-pi/4, pi/4].
func sincos(x float32, q uint32) (sin, cos float32) {
	z := x * x

	s := float32(-0x1.994eb4p-13)
	s = fma32(s, z, 0x1.11076p-7)
	s = fma32(s, z, -0x1.555546p-3)
	s = fma32(float32(z*x), s, x)

	c := float32(0x1.9a025ap-16)
	c = fma32(c, z, -0x1.6c0c8cp-10)
	c = fma32(c, z, 0x1.55554ap-5)
	c = fma32(float32(z*z), c, fma32(-0.5, z, 1))

	switch q & 3 {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}

// normalGroup computes the normals of group g, each in the place of its word: words (0, 1) and (2,
// 3) of each lane are Box-Muller pairs, the cosine first.
func normalGroup(dst *[GroupLen]float32, key Key, g uint64) {
	var w [GroupLen]uint32
	group(&w, key, g)
	for _, o := range [2]int{0, 16} {
		for l := o; l < o+8; l++ {
			r := radius(w[l])
			sin, cos := sincosPi(w[l+8])
			dst[l], dst[l+8] = r*cos, r*sin
		}
	}
}
