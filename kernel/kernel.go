// Package kernel holds every loop of training and sampling that is not a matrix product:
// slices of float32 in, slices out, no allocation, no goroutines.
//
// The exported functions check lengths (a mismatch is a programming error and panics) and call
// the implementation that [Info] names, chosen once from what the CPU can do. The generic
// implementation is plain Go, written to be read, and the reference for all others. Matrices
// are row-major; "row" arguments hold one number per row.
//
// Sums over a row have one order on every path: sixteen interleaved partial sums (element i
// goes to partial i mod 16) of products rounded before they are added, folded in halves
// (16 to 8 to 4 to 2 to 1). NaN and infinities propagate as IEEE arithmetic does, unless a
// function says otherwise; denormals are kept.
package kernel

const (
	errLen   = "kernel: slice lengths do not match"
	errWidth = "kernel: length is not a multiple of the row width"
)

func check(ok bool) {
	if !ok {
		panic(errLen)
	}
}

func rows(n, width int) int {
	if width <= 0 || n%width != 0 {
		panic(errWidth)
	}
	return n / width
}

// Uniform is dst[i] = (w_i >> 8 + 1) * 2^-24 in (0, 1], w the words of the fill from group first.
func Uniform(dst []float32, key Key, first uint64) { active.uniform(dst, key, first) }

// Normal is dst[i] = i-th standard normal of the fill, from group first.
func Normal(dst []float32, key Key, first uint64) { active.normal(dst, key, first) }

// NormalRows is Normal for each row of dst (len(ids) x d), row i at group ids[i]*Groups(d).
func NormalRows(dst []float32, ids []uint64, d int, key Key) {
	check(len(dst) == len(ids)*d)
	for i, id := range ids {
		active.normal(dst[i*d:(i+1)*d], key, id*Groups(d))
	}
}

// NoiseRows is zl = alpha[i]*z + sigma[i]*eps for each row i of width d, with eps the normals
// of row ids[i], which are kept.
func NoiseRows(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, key Key) {
	n := len(ids)
	check(len(zl) == n*d && len(eps) == n*d && len(z) == n*d && len(alpha) == n && len(sigma) == n)
	active.noiseRows(zl, eps, z, alpha, sigma, ids, d, key)
}

// Move is the data of one Langevin move of len(IDs) rows of width D. The drift of row i is
// g = G[i] + P[i] + Anchor*z[i], scaled by the largest s <= 1 for which the root mean square
// of s*H[i]*g is at most Clip (Clip = 0: no limit).
type Move struct {
	Z, U     []float32 // positions, and velocities (underdamped only); updated in place
	G, P     []float32 // the two parts of the drift: decoder and prior
	H        []float32 // step size of each row
	Anchor   float32
	Clip     float32
	Friction float32 // in (0, 1] (underdamped only)
	IDs      []uint64
	D        int
	Key      Key
}

func (m *Move) check() {
	n := len(m.IDs) * m.D
	check(len(m.Z) == n && len(m.G) == n && len(m.P) == n && len(m.H) == len(m.IDs))
}

// Overdamped is z = z - s*h*g + sqrt(2 h) xi, xi fresh normals of the row. It returns how many
// rows were clipped.
func Overdamped(m *Move) int {
	m.check()
	return active.overdamped(*m)
}

// Underdamped is u = (1-friction)*u - s*h*g + sqrt(2 friction h) xi; z += u. It returns how
// many rows were clipped.
func Underdamped(m *Move) int {
	m.check()
	check(len(m.U) == len(m.Z))
	return active.underdamped(*m)
}

// AddBias is x[i,j] += b[j].
func AddBias(x, b []float32) {
	rows(len(x), len(b))
	active.addBias(x, b)
}

// BiasSiLU is x[i,j] += b[j]; y[i,j] = x[i,j] / (1 + exp(-x[i,j])).
// Largest error of SiLU: 3 ulp for x >= -87. Below, where exp would leave the normal range, the
// sigmoid stays at 1.65e-38, so that silu is x times that instead of about zero, -Inf at -Inf.
func BiasSiLU(y, x, b []float32) {
	check(len(y) == len(x))
	rows(len(x), len(b))
	active.biasSiLU(y, x, b)
}

// AddSiLU is s[i] = h[i] + e[i]; y[i] = silu(s[i]).
func AddSiLU(y, s, h, e []float32) {
	check(len(y) == len(s) && len(h) == len(s) && len(e) == len(s))
	active.addSiLU(y, s, h, e)
}

// SiLUBackward is dx[i] = dy[i] * silu'(x[i]); dx may be x or dy. Largest error of silu': 1e-6
// for |x| < 1e30; it is NaN at +Inf and -Inf at -Inf.
func SiLUBackward(dx, x, dy []float32) {
	check(len(dx) == len(x) && len(dy) == len(x))
	active.siluBackward(dx, x, dy)
}

// ColSum is dst[j] = scale * sum over rows i of x[i*stride+j], rows added in order. The last row
// of x may end with its len(dst) summed columns.
func ColSum(dst, x []float32, stride int, scale float32) {
	check(stride > 0 && len(dst) <= stride && (len(x)%stride == 0 || len(x)%stride >= len(dst)))
	active.colSum(dst, x, stride, scale)
}

// Sinusoids is dst[i, k] = sin(lambda[i]*freq[k]), dst[i, F+k] = cos(lambda[i]*freq[k]) for
// F = len(freq), the product rounded; rows of dst have width 2F. Largest error 1e-7 for
// |lambda*freq| < 1000.
func Sinusoids(dst, lambda, freq []float32) {
	check(len(dst) == 2*len(lambda)*len(freq))
	active.sinusoids(dst, lambda, freq)
}

// ScoreResidual is e = sigma[i]*zl + r - eps and sq[i] = |e|^2 for each row i of width d.
func ScoreResidual(e, sq, zl, r, eps, sigma []float32, d int) {
	n := len(sq)
	check(len(e) == n*d && len(zl) == n*d && len(r) == n*d && len(eps) == n*d && len(sigma) == n)
	active.scoreResidual(e, sq, zl, r, eps, sigma, d)
}

// DataResidual is e[i] = y[i] - x[i/repeat] and sq[i] = |e[i]|^2 for each row i of width d,
// where x holds one row for every repeat rows of y; then e is multiplied by scale. first is
// the number of the first row of y, so that a slice of rows finds its images.
func DataResidual(e, sq, y, x []float32, first, repeat, d int, scale float32) {
	n := len(sq)
	check(len(e) == n*d && len(y) == n*d && repeat > 0 && (n == 0 || (first+n-1)/repeat*d+d <= len(x)))
	active.dataResidual(e, sq, y, x, first, repeat, d, scale)
}

// SquareNorms is dst[i] = |row i of x|^2, rows of width d.
func SquareNorms(dst, x []float32, d int) {
	check(len(x) == len(dst)*d)
	active.squareNorms(dst, x, d)
}

// ScaleRows is x[i,j] *= a[i] for rows of width d.
func ScaleRows(x, a []float32, d int) {
	check(len(x) == len(a)*d)
	active.scaleRows(x, a, d)
}

// CombineRows is dst = a[i]*x + b[i]*y + c*z for each row i of width d, the three products rounded,
// then added left to right.
func CombineRows(dst, x, a, y, b, z []float32, c float32, d int) {
	n := len(a)
	check(len(b) == n && len(dst) == n*d && len(x) == n*d && len(y) == n*d && len(z) == n*d)
	active.combineRows(dst, x, a, y, b, z, c, d)
}

// MeanRows is row i of dst = mean of rows i*repeat .. (i+1)*repeat-1 of x, added in order; rows
// of width d.
func MeanRows(dst, x []float32, repeat, d int) {
	check(len(x) == len(dst)*repeat && repeat > 0)
	rows(len(dst), d)
	active.meanRows(dst, x, repeat, d)
}

// Add is dst[i] += x[i].
func Add(dst, x []float32) {
	check(len(dst) == len(x))
	active.add(dst, x)
}

// Combine is z[i] = a*z[i] + b*x[i] + c*y[i], the three products rounded, then added left to
// right. y may be nil: then its term is left out.
func Combine(z []float32, a float32, x []float32, b float32, y []float32, c float32) {
	check(len(x) == len(z) && (y == nil || len(y) == len(z)))
	active.combine(z, a, x, b, y, c)
}

// SGDStep is p[i] -= lr*g[i].
func SGDStep(p, g []float32, lr float32) {
	check(len(g) == len(p))
	active.sgd(p, g, lr)
}

// RMSpropStep is v = rho*v + (1-rho)*g^2; p -= lr*g/(sqrt(v) + eps) (Tieleman and Hinton 2012).
func RMSpropStep(p, v, g []float32, lr, rho, eps float32) {
	check(len(g) == len(p) && len(v) == len(p))
	active.rmsprop(p, v, g, lr, rho, eps)
}

// AdamStep is m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2; p -= (lr*c1)*m / (sqrt(v*c2) + eps)
// with the bias corrections c = 1/(1 - b^t) given by the caller (Kingma and Ba 2015).
func AdamStep(p, m, v, g []float32, lr, b1, b2, eps, c1, c2 float32) {
	check(len(g) == len(p) && len(m) == len(p) && len(v) == len(p))
	active.adam(p, m, v, g, lr, b1, b2, eps, c1, c2)
}

// EMAStep is avg[i] += rate*(p[i] - avg[i]).
func EMAStep(avg, p []float32, rate float32) {
	check(len(avg) == len(p))
	active.ema(avg, p, rate)
}

// AllFinite reports whether x has neither NaN nor infinity.
func AllFinite(x []float32) bool { return active.allFinite(x) }

// U8ToF32 is dst[i] = src[i]*(2/255) - 1: pixels to [-1, 1].
func U8ToF32(dst []float32, src []uint8) {
	check(len(dst) == len(src))
	active.u8ToF32(dst, src)
}

// F32ToU8 is dst[i] = round((clamp(src[i], -1, 1) + 1) * 127.5), halves up; NaN becomes 0.
func F32ToU8(dst []uint8, src []float32) {
	check(len(dst) == len(src))
	active.f32ToU8(dst, src)
}
