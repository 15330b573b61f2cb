package kernel

import "math"

// Products are wrapped in float32(...) where their sum must not be fused: on some
// architectures the compiler would otherwise contract x*y + z. Where it is fused, fma32 says so.

// generic is the reference path, and the path of every CPU without a better one.
var generic = path{
	name:            "generic",
	uniform:         uniformGeneric,
	normal:          normalGeneric,
	normalRows:      normalRowsGeneric,
	noiseRows:       noiseRowsGeneric,
	overdamped:      overdampedGeneric,
	underdamped:     underdampedGeneric,
	exact:           exactGeneric,
	siLUBackward:    siLUBackwardGeneric,
	siLU:            siLUGeneric,
	sumSiLU:         sumSiLUGeneric,
	affineSiLU:      affineSiLUGeneric,
	siLUBackwardAdd: siLUBackwardAddGeneric,
	softmax:         softmaxGeneric,
	softmaxBackward: softmaxBackwardGeneric,
	affine:          affineGeneric,
	affineGrad:      affineGradGeneric,
	affineGradAdd:   affineGradAddGeneric,
	addRows:         addRowsGeneric,
	colDot:          colDotGeneric,
	colSquares:      colSquaresGeneric,
	sinusoids:       sinusoidsGeneric,
	scoreResidual:   scoreResidualGeneric,
	dataResidual:    dataResidualGeneric,
	squareNorms:     squareNormsGeneric,
	dotRows:         dotRowsGeneric,
	scaleRows:       scaleRowsGeneric,
	combineRows:     combineRowsGeneric,
	add:             addGeneric,
	axpy:            axpyGeneric,
	scale:           scaleGeneric,
	clip:            clipGeneric,
	extremes:        extremesGeneric,
	combine2:        combine2Generic,
	combine3:        combine3Generic,
	sgd:             sgdGeneric,
	rmsprop:         rmspropGeneric,
	adam:            adamGeneric,
	adamAverage:     adamAverageGeneric,
	ema:             emaGeneric,
	u8ToF32:         u8ToF32Generic,
	f32ToU8:         f32ToU8Generic,
	tileRows:        4,
	tileCols:        16,
	mulTile:         mulTileGeneric,
	mulRows:         mulRowsGeneric,
	groupRows:       4,
	mulGroups:       mulGroupsGeneric,
	packRows:        packRowsGeneric,
	roundRows:       roundRowsGeneric,
	roundRest:       roundRestGeneric,
	roundPairs:      roundPairsGeneric,
	transpose:       transposeGeneric,
	peakOperations:  2,
	peak:            peakGeneric,

	winogradInput:     winogradInputGeneric,
	winogradOutput:    winogradOutputGeneric,
	winogradOutputAdd: winogradOutputAddGeneric,
	winogradGrad:      winogradGradGeneric,
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// Networks.

func siLUBackwardGeneric(dx, s, dy []float32) {
	for i := range dx {
		dx[i] = s[i] * dy[i]
	}
}

// Sines are of angles up to sinLimit, from which quarter turns are subtracted in three parts of
// pi/2.
const (
	quarterTurns = 0x1.45f306p-1
	quarter1     = 0x1.921fb6p+0
	quarter2     = -0x1.777a5cp-25
	quarter3     = -0x1.ee59dap-50
	sinLimit     = 0x1p16
)

func sincosRadians(x float32) (sin, cos float32) {
	if !(x >= -sinLimit && x <= sinLimit) {
		nan := float32(math.NaN())
		return nan, nan
	}
	q := fma32(x, quarterTurns, roundMagic)
	turns := q - roundMagic
	x = fma32(-turns, quarter1, x)
	x = fma32(-turns, quarter2, x)
	x = fma32(-turns, quarter3, x)
	return sincos(x, math.Float32bits(q))
}

func sinusoidsGeneric(dst, lambda, freq []float32) {
	f := len(freq)
	for i, l := range lambda {
		row := dst[2*f*i : 2*f*(i+1)]
		for k, w := range freq {
			row[k], row[f+k] = sincosRadians(l * w)
		}
	}
}

// Rows.

// sumSquares is |x|^2 in the order of the package comment.
func sumSquares(x []float32) float32 { return dot(x, x) }

// dot is the sum of products in the same order.
func dot(x, y []float32) float32 {
	var acc [16]float32
	for i, v := range x {
		acc[i%16] = fma32(v, y[i], acc[i%16])
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
			er[j] = fma32(sigma[i], zr[j], rr[j]) - nr[j]
		}
		sq[i] = sumSquares(er)
	}
}

func dataResidualGeneric(e, sq, y, x []float32, phase, repeat, d int, scale float32) {
	for i := range sq {
		k := (phase + i) / repeat
		er, yr, xr := e[i*d:(i+1)*d], y[i*d:(i+1)*d], x[k*d:(k+1)*d]
		for j := range er {
			er[j] = yr[j] - xr[j]
		}
		sq[i] = sumSquares(er)
		scaleGeneric(er, scale)
	}
}

func squareNormsGeneric(dst, x []float32, ld, d int) {
	for i := range dst {
		dst[i] = sumSquares(x[i*ld : i*ld+d])
	}
}

func dotRowsGeneric(dst, x, y []float32, d int) {
	for i := range dst {
		dst[i] = dot(x[i*d:(i+1)*d], y[i*d:(i+1)*d])
	}
}

func scaleRowsGeneric(x, a []float32, d int) {
	for i, s := range a {
		scaleGeneric(x[i*d:(i+1)*d], s)
	}
}

func combineRowsGeneric(dst, x, a, y, b, z []float32, c float32, d int) {
	for i := range a {
		for k := i * d; k < (i+1)*d; k++ {
			dst[k] = fma32(a[i], x[k], fma32(b[i], y[k], c*z[k]))
		}
	}
}

// Vectors.

func addGeneric(dst, x []float32) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] += v
	}
}

func axpyGeneric(y []float32, a float32, x []float32) {
	for i, v := range x {
		y[i] = fma32(a, v, y[i])
	}
}

func scaleGeneric(x []float32, a float32) {
	for i := range x {
		x[i] *= a
	}
}

func clipGeneric(x []float32) {
	for i, v := range x {
		x[i] = min(1, max(-1, v))
	}
}

// ordered maps a float32 to an integer in the order of the numbers, -0 below 0 and NaN outermost:
// the bits, those below the sign inverted where it is set.
func ordered(x float32) int32 {
	b := int32(math.Float32bits(x))
	return b ^ b>>31&math.MaxInt32
}

func extremesGeneric(x []float32) (lo, hi int32) {
	lo, hi = ordered(x[0]), ordered(x[0])
	for _, v := range x[1:] {
		k := ordered(v)
		lo, hi = min(lo, k), max(hi, k)
	}
	return lo, hi
}

func combine2Generic(z []float32, a float32, x []float32, b float32) {
	for i := range z {
		z[i] = fma32(a, z[i], b*x[i])
	}
}

func combine3Generic(z []float32, a float32, x []float32, b float32, y []float32, c float32) {
	for i := range z {
		z[i] = fma32(a, z[i], fma32(b, x[i], c*y[i]))
	}
}

// Optimisers.

func sgdGeneric(p, g []float32, lr float32) {
	for i, x := range g {
		p[i] = fma32(-lr, x, p[i])
	}
}

func rmspropGeneric(p, v, g []float32, lr, mix, eps float32) {
	for i, x := range g {
		v[i] = fma32(mix, fma32(x, x, -v[i]), v[i])
		p[i] -= float32(lr*x) / (sqrt32(v[i]) + eps)
	}
}

func adamGeneric(p, m, v, g []float32, lr, mix1, mix2, eps, root float32) {
	for i, x := range g {
		m[i] = fma32(mix1, x-m[i], m[i])
		v[i] = fma32(mix2, fma32(x, x, -v[i]), v[i])
		p[i] -= float32(lr*m[i]) / fma32(sqrt32(v[i]), root, eps)
	}
}

func adamAverageGeneric(p, m, v, avg, g []float32, ld, cols, rows int,
	lr, mix1, mix2, eps, root, keep, rate float32) {
	for i := range rows {
		row := func(x []float32) []float32 { return x[i*ld : i*ld+cols] }
		scaleGeneric(row(p), keep)
		adamGeneric(row(p), row(m), row(v), row(g), lr, mix1, mix2, eps, root)
		emaGeneric(row(avg), row(p), rate)
	}
}

func emaGeneric(avg, p []float32, rate float32) {
	for i, v := range avg {
		avg[i] = fma32(rate, p[i]-v, v)
	}
}

// Pixels.

func u8ToF32Generic(dst []float32, src []uint8) {
	for i, v := range src {
		dst[i] = float32(float32(v)*(2.0/255)) - 1
	}
}

func f32ToU8Generic(dst []uint8, src []float32) {
	for i, v := range src {
		if !(v > -1) {
			v = -1
		}
		dst[i] = uint8(fma32(min(v, 1)+1, 127.5, 0.5))
	}
}
