package likelihood

import (
	"math"
	"testing"
)

// exp is math.Exp to a few roundings, and finite with a finite inverse everywhere.
func TestExp(t *testing.T) {
	for x := -699.9; x < 700; x += 0.37 {
		if got, want := exp(x), math.Exp(x); math.Abs(got/want-1) > 1e-15 {
			t.Fatalf("exp(%v) = %v, expected %v", x, got, want)
		}
	}
	for _, x := range []float64{-1e300, 1e300} {
		if v := exp(x); v == 0 || math.IsInf(v, 0) || math.IsInf(1/v, 0) {
			t.Errorf("exp(%v) = %v", x, v)
		}
	}
}
