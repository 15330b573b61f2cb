package toy

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func closeTo(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestObserved: the moments of merged parts are those that gonum computes of all.
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
	closeTo(t, "mean", o.mean(0), stat.Mean(xs, nil), 1e-12)
	closeTo(t, "mean", o.mean(1), stat.Mean(ys, nil), 1e-12)
	closeTo(t, "variance", o.covariance(0, 0), stat.Variance(xs, nil), 1e-12)
	closeTo(t, "covariance", o.covariance(1, 0), stat.Covariance(xs, ys, nil), 1e-11)
}

// TestAffine checks two steps in a row, and the stationary law.
func TestAffine(t *testing.T) {
	first, second := stay(2), stay(2)
	first.a = mat.NewDense(2, 2, []float64{0.5, 0.1, -0.2, 0.7})
	first.b = mat.NewVecDense(2, []float64{1, 2})
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
	next := first.apply(rest)
	if !mat.EqualApprox(next.mean, rest.mean, 1e-13) ||
		!mat.EqualApprox(next.cov, rest.cov, 1e-13) {
		t.Errorf("stationary: %v %v becomes %v %v", rest.mean, rest.cov, next.mean, next.cov)
	}
}
