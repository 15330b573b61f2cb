package kernel

import (
	"math"
	"slices"
)

// Add is dst[i] += x[i].
func Add(dst, x []float32) {
	check(len(dst) == len(x))
	read(x)
	wrote(dst)
	for lo, hi := range pieces(len(dst)) {
		active.add(dst[lo:hi], x[lo:hi])
	}
}

// Axpy is y[i] = fma(a, x[i], y[i]).
func Axpy(y []float32, a float32, x []float32) {
	check(len(x) == len(y))
	read(x)
	wrote(y)
	for lo, hi := range pieces(len(y)) {
		active.axpy(y[lo:hi], a, x[lo:hi])
	}
}

// Scale is x[i] *= a.
func Scale(x []float32, a float32) {
	wrote(x)
	for lo, hi := range pieces(len(x)) {
		active.scale(x[lo:hi], a)
	}
}

// Clip is x[i] = min(1, max(-1, x[i])): numbers are cut off at -1 and 1. NaN stays NaN.
func Clip(x []float32) {
	wrote(x)
	for lo, hi := range pieces(len(x)) {
		active.clip(x[lo:hi])
	}
}

// NotFinite is the index of the first element that is NaN or infinite; -1 if there is none.
func NotFinite(x []float32) int {
	if AllFinite(x) {
		return -1
	}
	return slices.IndexFunc(x, func(v float32) bool { return v-v != 0 })
}

// AllFinite reports whether x has neither NaN nor infinity.
func AllFinite(x []float32) bool {
	read(x)
	least, greatest := ordered(float32(math.Inf(-1))), ordered(float32(math.Inf(1)))
	for lo, hi := range pieces(len(x)) {
		if a, b := active.extremes(x[lo:hi]); a <= least || b >= greatest {
			return false
		}
	}
	return true
}

// Combine is z[i] = fma(a, z[i], fma(b, x[i], c*y[i])). y may be nil: then it is fma(a, z[i],
// b*x[i]).
func Combine(z []float32, a float32, x []float32, b float32, y []float32, c float32) {
	check(len(x) == len(z) && (y == nil || len(y) == len(z)))
	read(x, y)
	wrote(z)
	for lo, hi := range pieces(len(z)) {
		if y == nil {
			active.combine2(z[lo:hi], a, x[lo:hi], b)
		} else {
			active.combine3(z[lo:hi], a, x[lo:hi], b, y[lo:hi], c)
		}
	}
}

// SGDStep is p[i] = fma(-lr, g[i], p[i]).
func SGDStep(p, g []float32, lr float64) {
	check(len(g) == len(p))
	read(g)
	wrote(p)
	for lo, hi := range pieces(len(p)) {
		active.sgd(p[lo:hi], g[lo:hi], float32(lr))
	}
}

// RMSpropStep is v = fma(1-rho, fma(g, g, -v), v); p -= (lr*g)/(sqrt(v) + eps) (Tieleman and Hinton
// 2012).
func RMSpropStep(p, v, g []float32, lr, rho, eps float64) {
	check(len(g) == len(p) && len(v) == len(p))
	read(g)
	wrote(p, v)
	for lo, hi := range pieces(len(p)) {
		active.rmsprop(p[lo:hi], v[lo:hi], g[lo:hi], float32(lr), float32(1-rho), float32(eps))
	}
}

// AdamRates are the rates of a step of Adam (Kingma and Ba 2015) after t steps.
type AdamRates struct {
	LR, Beta1, Beta2, Epsilon float64
	C1, C2                    float64 // corrections of the moments' bias: 1/(1 - beta^t)
}

// AdamStep is m = fma(1-b1, g - m, m); v = fma(1-b2, fma(g, g, -v), v);
// p -= (lr*c1 * m)/fma(sqrt(v), sqrt(c2), eps). What depends on the rates alone is rounded once.
func AdamStep(p, m, v, g []float32, r AdamRates) {
	check(len(g) == len(p) && len(m) == len(p) && len(v) == len(p))
	read(g)
	wrote(p, m, v)
	lr, mix1, mix2, eps, root := r.rounded()
	for lo, hi := range pieces(len(p)) {
		active.adam(p[lo:hi], m[lo:hi], v[lo:hi], g[lo:hi], lr, mix1, mix2, eps, root)
	}
}

func (r AdamRates) rounded() (lr, mix1, mix2, eps, root float32) {
	return float32(r.LR * r.C1), float32(1 - r.Beta1), float32(1 - r.Beta2), float32(r.Epsilon),
		float32(math.Sqrt(r.C2))
}

// AdamAverageStep is p *= keep, then [AdamStep], then [EMAStep] of avg and p, in rows of cols
// numbers, at most [MaxRow] unless they follow each other, that lie ld apart in every array.
func AdamAverageStep(
	p, m, v, avg, g []float32, ld, cols, rows int, r AdamRates, keep, rate float64,
) {
	if ld == cols {
		for lo, hi := range pieces(rows * cols) {
			AdamAverageStep(p[lo:hi], m[lo:hi], v[lo:hi], avg[lo:hi], g[lo:hi], 0, hi-lo, 1,
				r, keep, rate)
		}
		return
	}
	checkGrid(rows, ld, cols, p, m, v, avg, g)
	if raceEnabled {
		readGrid(g, rows, ld, cols)
		for _, x := range [][]float32{p, m, v, avg} {
			wroteGrid(x, rows, ld, cols)
		}
	}
	lr, mix1, mix2, eps, root := r.rounded()
	for lo, hi := range strips(rows, cols) {
		at := lo * ld
		active.adamAverage(p[at:], m[at:], v[at:], avg[at:], g[at:], ld, cols, hi-lo,
			lr, mix1, mix2, eps, root, float32(keep), float32(rate))
	}
}

// EMAStep is avg[i] = fma(rate, p[i] - avg[i], avg[i]).
func EMAStep(avg, p []float32, rate float64) {
	check(len(avg) == len(p))
	read(p)
	wrote(avg)
	for lo, hi := range pieces(len(avg)) {
		active.ema(avg[lo:hi], p[lo:hi], float32(rate))
	}
}

// U8ToF32 is dst[i] = (src[i]*(2/255)) - 1: pixels to [-1, 1], 255 to 1 exactly.
func U8ToF32(dst []float32, src []uint8) {
	check(len(dst) == len(src))
	read(src)
	wrote(dst)
	for lo, hi := range pieces(len(dst)) {
		active.u8ToF32(dst[lo:hi], src[lo:hi])
	}
}

// F32ToU8 is dst[i] = fma(x + 1, 127.5, 0.5) without its fraction, x = src[i] clamped to [-1, 1]:
// [-1, 1] to pixels, halves up; NaN becomes 0.
func F32ToU8(dst []uint8, src []float32) {
	check(len(dst) == len(src))
	read(src)
	wrote(dst)
	for lo, hi := range pieces(len(dst)) {
		active.f32ToU8(dst[lo:hi], src[lo:hi])
	}
}
