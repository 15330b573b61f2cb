package kernel

import "math"

// Products are wrapped in float32(...) where their sum must not be fused: on some
// architectures the compiler would otherwise contract x*y + z.

// generic is the reference path, and the path of every CPU without a better one.
var generic = path{
	name:          "generic",
	uniform:       uniformGeneric,
	normal:        normalGeneric,
	noiseRows:     noiseRowsGeneric,
	overdamped:    overdampedGeneric,
	underdamped:   underdampedGeneric,
	addBias:       addBiasGeneric,
	biasSiLU:      biasSiLUGeneric,
	addSiLU:       addSiLUGeneric,
	siluBackward:  siluBackwardGeneric,
	colSum:        colSumGeneric,
	sinusoids:     sinusoidsGeneric,
	scoreResidual: scoreResidualGeneric,
	dataResidual:  dataResidualGeneric,
	squareNorms:   squareNormsGeneric,
	scaleRows:     scaleRowsGeneric,
	combineRows:   combineRowsGeneric,
	meanRows:      meanRowsGeneric,
	add:           addGeneric,
	combine:       combineGeneric,
	sgd:           sgdGeneric,
	rmsprop:       rmspropGeneric,
	adam:          adamGeneric,
	ema:           emaGeneric,
	allFinite:     allFiniteGeneric,
	u8ToF32:       u8ToF32Generic,
	f32ToU8:       f32ToU8Generic,
}

func uniformGeneric(dst []float32, key Key, first uint64) {
	var w [GroupLen]uint32
	for g := first; len(dst) > 0; g++ {
		group(&w, key, g)
		n := min(len(dst), GroupLen)
		for i := range dst[:n] {
			dst[i] = float32(w[i]>>8+1) * 0x1p-24
		}
		dst = dst[n:]
	}
}

func normalGeneric(dst []float32, key Key, first uint64) {
	g := first
	for ; len(dst) >= GroupLen; g++ {
		normalGroup((*[GroupLen]float32)(dst), key, g)
		dst = dst[GroupLen:]
	}
	if len(dst) > 0 {
		var last [GroupLen]float32
		normalGroup(&last, key, g)
		copy(dst, last[:])
	}
}

func noiseRowsGeneric(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, key Key) {
	for i, id := range ids {
		e, x, y := eps[i*d:(i+1)*d], z[i*d:(i+1)*d], zl[i*d:(i+1)*d]
		normalGeneric(e, key, id*Groups(d))
		for j := range y {
			y[j] = float32(alpha[i]*x[j]) + float32(sigma[i]*e[j])
		}
	}
}

// scaledDrift is h*g of element k, in row i.
func (m *Move) scaledDrift(i, k int) float32 {
	return m.H[i] * (m.G[k] + m.P[k] + float32(m.Anchor*m.Z[k]))
}

// clipScale is the factor that brings the drift of row i within Clip: 1 where it is.
func (m *Move) clipScale(i int) float32 {
	if m.Clip <= 0 {
		return 1
	}
	var acc [16]float32
	for j := range m.D {
		v := m.scaledDrift(i, i*m.D+j)
		acc[j%16] += float32(v * v)
	}
	rms := float32(math.Sqrt(float64(fold(&acc) / float32(m.D))))
	if rms > m.Clip {
		return m.Clip / rms
	}
	return 1
}

func overdampedGeneric(m Move) (clipped int) {
	var xi [GroupLen]float32
	for i, id := range m.IDs {
		s := m.clipScale(i)
		if s < 1 {
			clipped++
		}
		noise := float32(math.Sqrt(float64(2 * m.H[i])))
		for j := range m.D {
			if j%GroupLen == 0 {
				normalGroup(&xi, m.Key, id*Groups(m.D)+uint64(j/GroupLen))
			}
			k := i*m.D + j
			m.Z[k] = m.Z[k] - float32(s*m.scaledDrift(i, k)) + float32(noise*xi[j%GroupLen])
		}
	}
	return clipped
}

func underdampedGeneric(m Move) (clipped int) {
	var xi [GroupLen]float32
	keep := 1 - m.Friction
	for i, id := range m.IDs {
		s := m.clipScale(i)
		if s < 1 {
			clipped++
		}
		noise := float32(math.Sqrt(float64(2 * m.Friction * m.H[i])))
		for j := range m.D {
			if j%GroupLen == 0 {
				normalGroup(&xi, m.Key, id*Groups(m.D)+uint64(j/GroupLen))
			}
			k := i*m.D + j
			u := float32(keep*m.U[k]) - float32(s*m.scaledDrift(i, k)) + float32(noise*xi[j%GroupLen])
			m.U[k] = u
			m.Z[k] += u
		}
	}
	return clipped
}

func addBiasGeneric(x, b []float32) {
	for ; len(x) > 0; x = x[len(b):] {
		addGeneric(x[:len(b)], b)
	}
}

// sigmoid is 1/(1 + exp(-x)): exp by Cody and Waite's reduction to [-ln 2/2, ln 2/2] and a
// minimax polynomial of relative error 3e-9. It saturates beyond +-87, where exp would leave
// the normal range.
func sigmoid(x float32) float32 {
	if !(x > -87) {
		if x != x {
			return x
		}
		x = -87
	} else if x > 87 {
		x = 87
	}
	const round = 1<<23 + 1<<22 // adding it rounds to an integer
	n := float32(-x*math.Log2E) + round - round
	r := -x - float32(n*ln2Hi) - float32(n*ln2Lo)
	p := float32(0x1.6db418p-10)
	p = float32(p*r) + 0x1.123b48p-7
	p = float32(p*r) + 0x1.55545ep-5
	p = float32(p*r) + 0x1.55548ep-3
	p = float32(p*r) + 0.5
	e := float32(float32(r*r)*p) + r + 1
	return 1 / (1 + e*math.Float32frombits(uint32(int32(n)+127)<<23))
}

func biasSiLUGeneric(y, x, b []float32) {
	for ; len(x) > 0; x, y = x[len(b):], y[len(b):] {
		xr, yr := x[:len(b)], y[:len(b)]
		for j, v := range b {
			v += xr[j]
			xr[j] = v
			yr[j] = v * sigmoid(v)
		}
	}
}

func addSiLUGeneric(y, s, h, e []float32) {
	for i := range s {
		v := h[i] + e[i]
		s[i] = v
		y[i] = v * sigmoid(v)
	}
}

func siluBackwardGeneric(dx, x, dy []float32) {
	for i, v := range x {
		s := sigmoid(v)
		dx[i] = dy[i] * (s + float32(float32(v*s)*(1-s)))
	}
}

func colSumGeneric(dst, x []float32, stride int, scale float32) {
	clear(dst)
	for ; len(x) >= len(dst) && len(x) > 0; x = x[min(stride, len(x)):] {
		addGeneric(dst, x[:len(dst)])
	}
	for j := range dst {
		dst[j] *= scale
	}
}

func sinusoidsGeneric(dst, lambda, freq []float32) {
	f := len(freq)
	for i, l := range lambda {
		row := dst[2*f*i : 2*f*(i+1)]
		for k, w := range freq {
			sin, cos := math.Sincos(float64(l * w))
			row[k], row[f+k] = float32(sin), float32(cos)
		}
	}
}

// sumSquares is |x|^2 in the order of the package comment.
func sumSquares(x []float32) float32 {
	var acc [16]float32
	for ; len(x) >= 16; x = x[16:] {
		for l, v := range x[:16] {
			acc[l] += float32(v * v)
		}
	}
	for l, v := range x {
		acc[l] += float32(v * v)
	}
	return fold(&acc)
}

// fold adds sixteen partial sums in halves.
func fold(acc *[16]float32) float32 {
	for n := 8; n > 0; n /= 2 {
		for l := range n {
			acc[l] += acc[l+n]
		}
	}
	return acc[0]
}

func scoreResidualGeneric(e, sq, zl, r, eps, sigma []float32, d int) {
	for i := range sq {
		lo, hi := i*d, (i+1)*d
		er, zr, rr, nr := e[lo:hi], zl[lo:hi], r[lo:hi], eps[lo:hi]
		for j := range er {
			er[j] = float32(sigma[i]*zr[j]) + rr[j] - nr[j]
		}
		sq[i] = sumSquares(er)
	}
}

func dataResidualGeneric(e, sq, y, x []float32, first, repeat, d int, scale float32) {
	for i := range sq {
		k := (first + i) / repeat
		er, yr, xr := e[i*d:(i+1)*d], y[i*d:(i+1)*d], x[k*d:(k+1)*d]
		for j := range er {
			er[j] = yr[j] - xr[j]
		}
		sq[i] = sumSquares(er)
		for j := range er {
			er[j] *= scale
		}
	}
}

func squareNormsGeneric(dst, x []float32, d int) {
	for i := range dst {
		dst[i] = sumSquares(x[i*d : (i+1)*d])
	}
}

func scaleRowsGeneric(x, a []float32, d int) {
	for i, s := range a {
		row := x[i*d : (i+1)*d]
		for j := range row {
			row[j] *= s
		}
	}
}

func combineRowsGeneric(dst, x, a, y, b, z []float32, c float32, d int) {
	for i := range a {
		for k := i * d; k < (i+1)*d; k++ {
			dst[k] = float32(a[i]*x[k]) + float32(b[i]*y[k]) + float32(c*z[k])
		}
	}
}

func meanRowsGeneric(dst, x []float32, repeat, d int) {
	for ; len(dst) > 0; dst = dst[d:] {
		row := dst[:d]
		copy(row, x)
		x = x[d:]
		for range repeat - 1 {
			addGeneric(row, x[:d])
			x = x[d:]
		}
		for j := range row {
			row[j] /= float32(repeat)
		}
	}
}

func addGeneric(dst, x []float32) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] += v
	}
}

func combineGeneric(z []float32, a float32, x []float32, b float32, y []float32, c float32) {
	if y == nil {
		for i := range z {
			z[i] = float32(a*z[i]) + float32(b*x[i])
		}
		return
	}
	for i := range z {
		z[i] = float32(a*z[i]) + float32(b*x[i]) + float32(c*y[i])
	}
}

func sgdGeneric(p, g []float32, lr float32) {
	for i := range p {
		p[i] -= float32(lr * g[i])
	}
}

func rmspropGeneric(p, v, g []float32, lr, rho, eps float32) {
	for i, x := range g {
		v[i] = float32(rho*v[i]) + float32((1-rho)*float32(x*x))
		p[i] -= float32(lr*x) / (float32(math.Sqrt(float64(v[i]))) + eps)
	}
}

func adamGeneric(p, m, v, g []float32, lr, b1, b2, eps, c1, c2 float32) {
	p, m, v = p[:len(g)], m[:len(g)], v[:len(g)]
	lr *= c1
	for i, x := range g {
		m[i] = float32(b1*m[i]) + float32((1-b1)*x)
		v[i] = float32(b2*v[i]) + float32((1-b2)*float32(x*x))
		p[i] -= float32(lr*m[i]) / (float32(math.Sqrt(float64(float32(v[i]*c2)))) + eps)
	}
}

func emaGeneric(avg, p []float32, rate float32) {
	p = p[:len(avg)]
	for i, v := range avg {
		avg[i] = v + float32(rate*(p[i]-v))
	}
}

func allFiniteGeneric(x []float32) bool {
	for _, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

func u8ToF32Generic(dst []float32, src []uint8) {
	for i, v := range src {
		dst[i] = float32(float32(v)*(2.0/255)) - 1
	}
}

func f32ToU8Generic(dst []uint8, src []float32) {
	for i, v := range src {
		switch {
		case v >= 1:
			dst[i] = 255
		case v > -1:
			dst[i] = uint8(float32((v+1)*127.5) + 0.5)
		default:
			dst[i] = 0
		}
	}
}
