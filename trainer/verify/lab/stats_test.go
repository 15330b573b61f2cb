package lab

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func closeTo(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestFit compares weighted fits with those of gonum, and their standard error with the scatter of
// many fits.
func TestFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, se := []float64{1, 2, 3, 5, 8}, []float64{0.01, 0.02, 0.005, 0.01, 0.03}
	var slopes Sample
	var last Fit
	for range 4000 {
		y, logY, w := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			y[i] = 2 * math.Exp(-0.3*x[i])
			y[i] += se[i] * y[i] * r.NormFloat64()
			logY[i] = math.Log(y[i])
		}
		errs := make([]float64, len(x))
		for i := range errs {
			errs[i] = se[i] * y[i]
			w[i] = 1 / (se[i] * se[i])
		}
		last = FitLog(x, y, errs)
		_, want := stat.LinearRegression(x, logY, w, false)
		closeTo(t, "slope", last.Slope, want, 1e-12)
		slopes = append(slopes, last.Slope)
	}
	// the logarithm's bias is of order se^2
	closeTo(t, "mean slope", slopes.Mean(), -0.3, 5*slopes.SE()+1e-4)
	closeTo(t, "standard error", last.SE, math.Sqrt(slopes.Variance()), 0.06*last.SE)

	exact := FitLog([]float64{0, 1, 2, 3}, []float64{1, 2, 4, 16}, make([]float64, 4))
	// For (0, 1, 2, 4) log 2 at 0..3 the slope is 1.3 log 2, the residual sum of squares 0.3 log^2
	// 2, and the sum of (x - 1.5)^2 is 5.
	closeTo(t, "slope without errors", exact.Slope, 1.3*math.Ln2, 1e-12)
	closeTo(t, "its standard error", exact.SE, math.Sqrt(0.3/2/5)*math.Ln2, 1e-12)
}

func TestSample(t *testing.T) {
	s := Sample{1, 2, 4, 9}
	closeTo(t, "mean", s.Mean(), stat.Mean(s, nil), 1e-15)
	closeTo(t, "variance", s.Variance(), stat.Variance(s, nil), 1e-14)
	closeTo(t, "standard error", s.SE(), stat.StdErr(stat.StdDev(s, nil), 4), 1e-15)
	closeTo(t, "standard error of a variance", VarianceSE(3, 19), 1, 1e-15)
}

// TestFalseAlarms: even with more checks than any run has, at most one run in a hundred has a false
// alarm.
func TestFalseAlarms(t *testing.T) {
	const checks = 1000
	if p := checks * 2 * distuv.UnitNormal.CDF(-Z); p > 0.01/3 {
		t.Errorf("a false alarm in %v of the runs", p)
	}
}
