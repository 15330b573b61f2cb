package kernel

import (
	"flag"
	"math"
	"runtime"
	"sync"
	"testing"
)

// The tests of this file measure functions of one argument against float64 and print a table: the
// largest and mean error in ulp, and the largest absolute one. By default they take a few million
// arguments; -exhaustive takes all float32 except those whose result is plainly 1 or x.
// Paths other than the generic one compute the same bits, which other tests hold them to.

var exhaustive = flag.Bool(
	"exhaustive", false, "accuracy tests: every argument, instead of a few million",
)

// The bounds are the largest errors that -exhaustive found, rounded up.
const (
	expUlps     = 1.5
	siluUlps    = 3.6
	siluDUlps   = 5.1
	siluDError  = 2.5e-7
	lnUlps      = 2.2
	radiusUlps  = 1
	sinPiUlps   = 2.8
	cosPiUlps   = 2.1
	sinUlps     = 1.6
	cosUlps     = 1.6
	sincosError = 1e-7
	sqrtUlps    = 0.5
	inverseUlps = 1.5
)

// errs are the errors of one function over many arguments, in ulp and (largest) absolutely.
type errs struct {
	n, sum, ulps, absolute float64
	at                     float32 // where most ulps are lost
}

func (e *errs) add(got, want float64, at float32) { e.addScaled(got, want, want, at) }

// addScaled is add in ulp of another number.
func (e *errs) addScaled(got, want, scale float64, at float32) {
	diff := math.Abs(got - want)
	err := diff / spacing(scale)
	e.n++
	e.sum += err
	e.absolute = max(e.absolute, diff) // NaN stays
	e.most(err, at)
}

// most keeps a NaN.
func (e *errs) most(ulps float64, at float32) {
	if !(ulps <= e.ulps) && e.ulps == e.ulps {
		e.ulps, e.at = ulps, at
	}
}

func merge(sum, part []errs) []errs {
	for k, e := range part {
		s := &sum[k]
		s.n += e.n
		s.sum += e.sum
		s.absolute = max(s.absolute, e.absolute)
		s.most(e.ulps, e.at)
	}
	return sum
}

// bound prints a row of the table and holds it to the largest error in ulp.
func (e errs) bound(t *testing.T, name string, ulps float64) {
	t.Helper()
	t.Logf(
		"%-22s %10.0f arguments: at most %.4f ulp, at %13.9g (bound %.1f); %.4f on average; "+
			"at most %.3g absolutely",
		name, e.n, e.ulps, e.at, ulps, e.sum/e.n, e.absolute,
	)
	if !(e.ulps <= ulps) || e.n == 0 {
		t.Errorf(
			"%s: error of %v ulp at %v (%#08x), want at most %v", name, e.ulps, e.at,
			math.Float32bits(e.at), ulps,
		)
	}
}

// boundAbsolute fails the test if the largest absolute error exceeds limit.
func (e errs) boundAbsolute(t *testing.T, name string, limit float64) {
	t.Helper()
	if !(e.absolute <= limit) {
		t.Errorf("%s: error of %v, want at most %v", name, e.absolute, limit)
	}
}

// spacing is ulp, quick enough for 2^32 calls.
func spacing(v float64) float64 {
	exponent := max(math.Float32bits(float32(v))>>23&255, 1)
	return math.Float64frombits(uint64(exponent+1023-150) << 52)
}

func TestSpacing(t *testing.T) {
	for _, v := range []float64{
		0, 0x1p-149, 0x1.fp-127, 0x1p-126, 0x1.fffffep-126, 0x1p-125, 0.99, 1, -1, 1.99, -3,
		math.MaxFloat32,
	} {
		if got := spacing(v); got != ulp(v) {
			t.Errorf("spacing(%v) = %v, want %v", v, got, ulp(v))
		}
	}
}

// every is the stride, but 1 with -exhaustive. With -short, as under an emulator, it is a prime
// times as long: other machines have the same bits.
func every(stride uint64) uint64 {
	switch {
	case *exhaustive:
		return 1
	case testing.Short():
		return 13 * stride
	}
	return stride
}

// sweep measures the arguments 0, stride, 2*stride ... below n on all cores, in 64 parts, so that
// the means do not depend on the cores. measure gets up to 1,024 arguments at a time.
func sweep(n, stride uint64, functions int, measure func(args []uint32, e []errs)) []errs {
	const parts = 64
	count := (n + stride - 1) / stride
	var found [parts][]errs
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for p := range uint64(parts) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			found[p] = make([]errs, functions)
			args := make([]uint32, 0, 1024)
			for i := count * p / parts; i < count*(p+1)/parts; {
				args = args[:0]
				for ; i < count*(p+1)/parts && len(args) < cap(args); i++ {
					args = append(args, uint32(i*stride))
				}
				measure(args, found[p])
			}
		})
	}
	wg.Wait()
	sum := make([]errs, functions)
	for _, e := range found {
		merge(sum, e)
	}
	return sum
}

// sweepFloats measures the float32 of both signs with magnitudes from lo to below hi, in bits.
func sweepFloats(
	lo, hi uint32, stride uint64, functions int, measure func(args []uint32, e []errs),
) []errs {
	return sweep(2*uint64(hi-lo), stride, functions, func(args []uint32, e []errs) {
		for i, k := range args {
			args[i] = lo + k>>1 | k<<31
		}
		measure(args, e)
	})
}

// TestSiLUAccuracy: exp(-x), silu and silu'. The derivative, which has a zero near -1.278, is
// measured in ulp of the sum of its terms' magnitudes, s + |x| s (1-s).
func TestSiLUAccuracy(t *testing.T) {
	var once sync.Once
	measure := func(args []uint32, e []errs) {
		for _, w := range args {
			x32 := math.Float32frombits(w)
			x := float64(x32)
			y, d := silu(x32)
			if !(x >= -siluLimit && x <= math.MaxFloat32) {
				checkSiLUEdge(t, &once, x, float64(y), float64(d))
				continue
			}
			exp := math.Exp(-x)
			if x <= siluLimit {
				p, pow := expNeg(x32)
				e[0].add(float64(p)*float64(pow), exp, x32)
			}
			s := 1 / (1 + exp)
			rest := x * s * (s * exp)
			e[1].add(float64(y), x*s, x32)
			e[2].addScaled(float64(d), s+rest, s+math.Abs(rest), x32)
		}
	}
	const tiny, large = 0x32800000, 0x42b00000 // 2^-26 and 88: exp is 1 below, silu 0 or x above
	e := sweepFloats(tiny, large, every(251), 3, measure)
	e = merge(e, sweepFloats(0, 1<<31, 1021, 3, measure))
	e[0].bound(t, "exp(-x), |x| <= 87", expUlps)
	e[1].bound(t, "silu, x >= -87", siluUlps)
	e[2].bound(t, "silu', x >= -87", siluDUlps)
	e[2].boundAbsolute(t, "silu', x >= -87", siluDError)
}

// checkSiLUEdge is for arguments below -87, where silu and its derivative keep the values there,
// between which and zero the true ones are, and for infinite and NaN ones.
func checkSiLUEdge(t *testing.T, once *sync.Once, x, y, d float64) {
	const least = -1.44e-36
	ok := y >= least && y <= 0 && d >= least && d <= 0
	switch {
	case x != x:
		ok = y != y && d != d
	case x > 0:
		ok = math.IsInf(y, 1) && d == 1
	}
	if !ok {
		once.Do(func() { t.Errorf("silu(%v) = %v with derivative %v", x, y, d) })
	}
}

// TestRadiusAccuracy: the 2^24 radii sqrt(-2 ln u) of the normals, all of them. ln u is known
// only through the radius: half its square, which has twice the relative error of the root's
// rounding (up to 2 ulp) on top of the logarithm's own.
func TestRadiusAccuracy(t *testing.T) {
	e := sweep(1<<24, every(1), 2, func(args []uint32, e []errs) {
		for _, k := range args {
			u := (float64(k) + 1) / (1 << 24)
			ln := math.Log(u)
			r := float64(radius(k<<8 | 0xff))
			e[0].add(-r*r/2, ln, float32(u))
			e[1].add(r, math.Sqrt(-2*ln), float32(u))
		}
	})
	e[0].bound(t, "ln u, from the radius", lnUlps)
	e[1].bound(t, "sqrt(-2 ln u)", radiusUlps)
}

// TestAngleAccuracy: sine and cosine of pi*w*2^-31 for w in the quarter around zero. Those of the
// other three quarters are the same numbers, which every 16th argument is enough to see.
func TestAngleAccuracy(t *testing.T) {
	var once sync.Once // one report is enough
	e := sweep(1<<30, every(251), 2, func(args []uint32, e []errs) {
		for _, k := range args {
			w := k - 1<<29
			sin, cos := sincosPi(w)
			angle := math.Pi * float64(int32(w)) / (1 << 31)
			wantSin, wantCos := math.Sincos(angle)
			e[0].add(float64(sin), wantSin, float32(angle))
			e[1].add(float64(cos), wantCos, float32(angle))
			for q := uint32(1); q < 4 && k%16 == 0; q++ {
				sin, cos = cos, -sin
				if s, c := sincosPi(w + q<<30); s != sin || c != cos {
					once.Do(func() {
						t.Errorf("angle %#08x: sine and cosine %v, %v, want %v, %v",
							w+q<<30, s, c, sin, cos)
					})
				}
			}
		}
	})
	e[0].bound(t, "sin, |angle| <= pi/4", sinPiUlps)
	e[1].bound(t, "cos, |angle| <= pi/4", cosPiUlps)
}

// TestSinusoidAccuracy: arguments up to 2^16 in magnitude.
func TestSinusoidAccuracy(t *testing.T) {
	measure := func(args []uint32, e []errs) {
		var x [1024]float32
		var dst [2048]float32
		n := len(args)
		for i, w := range args {
			x[i] = math.Float32frombits(w)
		}
		Sinusoids(dst[:2*n], []float32{1}, x[:n])
		for i, v := range x[:n] {
			sin, cos := math.Sincos(float64(v))
			e[0].add(float64(dst[i]), sin, v)
			e[1].add(float64(dst[n+i]), cos, v)
		}
	}
	const small, last = 0x39000000, 0x47800000 // 2^-13, below which they are x and 1, and 2^16
	e := sweepFloats(small, last+1, every(251), 2, measure)
	e = merge(e, sweepFloats(0, small, 1021, 2, measure))
	for k, name := range []string{"sin x, |x| <= 2^16", "cos x, |x| <= 2^16"} {
		e[k].bound(t, name, []float64{sinUlps, cosUlps}[k])
		e[k].boundAbsolute(t, name, sincosError)
	}
}

// TestRootAccuracy: sqrt is correctly rounded, and so is its use in RMSpropStep, which gives
// 1/sqrt(v) with two roundings: another root would show in most of the quotients.
func TestRootAccuracy(t *testing.T) {
	var once sync.Once
	e := sweep(0x7f800000-1, every(1021), 2, func(args []uint32, e []errs) {
		var v, p [1024]float32
		n := len(args)
		ones := constant(n, 1)
		for i, k := range args {
			v[i] = math.Float32frombits(k + 1)
		}
		RMSpropStep(p[:n], v[:n], ones, -1, 1, 0)
		for i, k := range args {
			x := math.Float32frombits(k + 1)
			exact := math.Sqrt(float64(x))
			root := float32(exact)
			e[0].add(float64(root), exact, x)
			e[1].add(float64(p[i]), 1/exact, x)
			if p[i] != 1/root {
				once.Do(func() {
					t.Errorf("1/sqrt(%v) in RMSpropStep is %v, want %v", x, p[i], 1/root)
				})
			}
		}
	})
	e[0].bound(t, "sqrt", sqrtUlps)
	e[1].bound(t, "1/sqrt in RMSpropStep", inverseUlps)
}
