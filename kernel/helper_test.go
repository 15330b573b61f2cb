package kernel

import (
	"math"
	"os"
	"slices"
	"testing"
)

// beyond reports that |diff| is not within tol; NaN never is.
func beyond(diff, tol float64) bool { return !(math.Abs(diff) <= tol) }

// eachPath runs a test on every implementation that this CPU has.
func eachPath(t *testing.T, test func(t *testing.T)) {
	chosen := active
	defer func() { active = chosen }()
	for _, p := range paths {
		active = p
		t.Run(p.name, test)
	}
}

// testStream is no stream of the table.
const testStream Stream = 1 << 16

var fills uint32

// fill is n standard normals, others at each call.
func fill(n int) []float32 {
	fills++
	x := make([]float32, n)
	normalGeneric(x, 0, 42, fills, uint32(testStream))
	return x
}

func constant(n int, v float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// guarded is a slice of n numbers, NaN at first, between words that the test's end finds
// unchanged.
func guarded(t *testing.T, n int) []float32 {
	const margin, canary = 16, 0x7fedcba9 // a NaN
	buf := make([]float32, n+2*margin)
	for i := range buf {
		buf[i] = math.Float32frombits(canary)
	}
	t.Cleanup(func() {
		for i, v := range buf {
			if (i < margin || i >= n+margin) && math.Float32bits(v) != canary {
				t.Errorf("wrote %v at place %d of a slice of %d", v, i-margin, n)
			}
		}
	})
	return buf[margin : n+margin : n+margin]
}

// guardedCopy is a copy of x in a guarded slice.
func guardedCopy(t *testing.T, x []float32) []float32 {
	y := guarded(t, len(x))
	copy(y, x)
	return y
}

// widths are row widths around the vector lengths, and some drawn from 1 to 200.
func widths() []int {
	w := []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64}
	var words [6]uint32
	Bits(words[:], Key{Seed: 42, Stream: testStream}, 0)
	for _, b := range words {
		w = append(w, int(b%200)+1)
	}
	return w
}

// eachShape calls test for 0 to 5 rows of every width.
func eachShape(test func(n, d int)) {
	for _, d := range widths() {
		for _, n := range []int{0, 1, 2, 5} {
			test(n, d)
		}
	}
}

// same fails unless got and want have the same bits.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(got), got[i], want[i])
		}
	}
}

// near fails unless each got[i] is within roundings*2^-24*size of value, where want(i) is the
// value in float64 and size the sum of the magnitudes of its terms: each rounding to float32 of a
// partial result costs at most 2^-24 of that.
func near(
	t *testing.T, what string, got []float32, roundings float64,
	want func(i int) (value, size float64),
) {
	t.Helper()
	for i, g := range got {
		value, size := want(i)
		if diff := math.Abs(float64(g) - value); !(diff <= roundings*0x1p-24*size+0x1p-149) {
			t.Fatalf(
				"%s: element %d of %d is %v, want %v within %.3g", what, i, len(got), g, value,
				roundings*0x1p-24*size,
			)
		}
	}
}

// mustPanic fails unless f panics with the message.
func mustPanic(t *testing.T, what, message string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r != message {
			t.Errorf("%s: panic %v, want %q", what, r, message)
		}
	}()
	f()
}

// ulp is the distance from the float32 nearest to v to its neighbour away from zero; for
// denormals, the smallest one.
func ulp(v float64) float64 {
	f := math.Abs(float64(float32(v)))
	if f < 0x1p-126 {
		return 0x1p-149
	}
	return math.Ldexp(1, math.Ilogb(f)-23)
}

// envRequire names the path, or the extension, that a machine must have.
const envRequire = "PLUME_REQUIRE_KERNEL"

// TestRequiredPath turns "silently ran the slow path" into a failure: a machine that must have a
// path names it in the environment.
func TestRequiredPath(t *testing.T) {
	info := Info()
	used := append(info.Extensions, info.Path)
	if want := os.Getenv(envRequire); want != "" && !slices.Contains(used, want) {
		_, why := AMX()
		t.Errorf(
			"%s=%s, but the kernels run on %v (%v; AMX: %s)", envRequire, want, used, Err(), why,
		)
	}
}
