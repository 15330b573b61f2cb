package verify

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func close(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestFit compares weighted fits with gonum's, and their standard error with the scatter of many fits.
func TestFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, se := []float64{1, 2, 3, 5, 8}, []float64{0.01, 0.02, 0.005, 0.01, 0.03}
	var slopes sample
	var last fit
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
		last = fitLog(x, y, errs)
		_, want := stat.LinearRegression(x, logY, w, false)
		close(t, "slope", last.slope, want, 1e-12)
		slopes = append(slopes, last.slope)
	}
	close(t, "mean slope", slopes.mean(), -0.3, 5*slopes.se()+1e-4) // the logarithm's bias is of order se^2
	close(t, "standard error", last.se, math.Sqrt(slopes.variance()), 0.06*last.se)

	exact := fitLog([]float64{0, 1, 2, 3}, []float64{1, 2, 4, 16}, make([]float64, 4))
	// Of (0, 1, 2, 4) log 2 on 0..3: slope 1.3 log 2, residual sum of squares 0.3 log^2 2, sum (x - 1.5)^2 = 5.
	close(t, "slope without errors", exact.slope, 1.3*math.Ln2, 1e-12)
	close(t, "its standard error", exact.se, math.Sqrt(0.3/2/5)*math.Ln2, 1e-12)
}

func TestSample(t *testing.T) {
	s := sample{1, 2, 4, 9}
	close(t, "mean", s.mean(), stat.Mean(s, nil), 1e-15)
	close(t, "variance", s.variance(), stat.Variance(s, nil), 1e-14)
	close(t, "standard error", s.se(), stat.StdErr(stat.StdDev(s, nil), 4), 1e-15)
	close(t, "standard error of a variance", varianceSE(3, 19), 1, 1e-15)
}

// TestFalseAlarms: with as many checks as a run could ever have, one in a hundred runs at most has a false alarm.
func TestFalseAlarms(t *testing.T) {
	const checks = 1000
	if p := checks * 2 * distuv.UnitNormal.CDF(-z); p > 0.01/3 {
		t.Errorf("a false alarm in %v of the runs", p)
	}
}

// TestObserved: moments of pieces together are those of gonum on the whole.
func TestObserved(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	l := newLaw(3)
	l.mean.SetVec(0, 100)
	parts := []*observed{observe(l, 2), observe(l, 2)}
	var xs, ys []float64
	for i := range 50 {
		x := 101 + r.NormFloat64()
		y := x + r.NormFloat64()
		xs, ys = append(xs, x), append(ys, y)
		parts[i%2].add([]float64{x, y})
	}
	parts[0].merge(parts[1])
	o := parts[0]
	close(t, "mean", o.mean(0), stat.Mean(xs, nil), 1e-12)
	close(t, "mean", o.mean(1), stat.Mean(ys, nil), 1e-12)
	close(t, "variance", o.covariance(0, 0), stat.Variance(xs, nil), 1e-12)
	close(t, "covariance", o.covariance(1, 0), stat.Covariance(xs, ys, nil), 1e-11)
}

// TestAffine: steps in a row, and the law that they leave as it is.
func TestAffine(t *testing.T) {
	first, second := stay(2), stay(2)
	first.a, first.b = mat.NewDense(2, 2, []float64{0.5, 0.1, -0.2, 0.7}), mat.NewVecDense(2, []float64{1, 2})
	first.noise(0, 1, 0.3)
	first.noise(0, 0, 1)
	first.noise(1, 1, 2)
	second.add(0, 1, -0.4)
	second.noise(1, 1, 0.5)
	start := newLaw(2)
	start.mean.SetVec(0, 3)
	start.cov.Set(0, 0, 4)
	one, two := first.then(second).apply(start), second.apply(first.apply(start))
	if !mat.EqualApprox(one.mean, two.mean, 1e-14) || !mat.EqualApprox(one.cov, two.cov, 1e-14) {
		t.Errorf("then: %v %v, expected %v %v", one.mean, one.cov, two.mean, two.cov)
	}
	if !mat.EqualApprox(one.cov, one.cov.T(), 1e-15) {
		t.Errorf("the covariance %v is not symmetric", one.cov)
	}
	rest := first.stationary()
	if next := first.apply(rest); !mat.EqualApprox(next.mean, rest.mean, 1e-13) || !mat.EqualApprox(next.cov, rest.cov, 1e-13) {
		t.Errorf("stationary: %v %v becomes %v %v", rest.mean, rest.cov, next.mean, next.cov)
	}
}
