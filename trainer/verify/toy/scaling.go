package toy

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// settled is the number of steps, in whole epochs, that bring the variance of theta within a
// thousandth of the stationary one.
func (t toy) settled() int {
	want := t.stationary().cov.At(0, 0)
	epoch := stay(t.size())
	for b := range t.parts {
		epoch = epoch.then(t.step(b))
	}
	l := t.startLaw()
	for k := 1; ; k++ {
		l = epoch.apply(l)
		if v := l.cov.At(0, 0); math.Abs(v-want) <= 1e-3*want {
			return k * t.parts
		}
	}
}

// stationaryVariance measures the variance of theta once it has settled, and checks it against
// the stationary law.
func stationaryVariance(l *lab.Lab, what string, t toy, replicates int) (v, se float64, err error) {
	t.start = dataMean
	steps := t.settled()
	found := t.watchAt(steps)
	if err := t.train(l.Branch(what), replicates, found); err != nil {
		return 0, 0, err
	}
	o, exact := found[steps], t.stationary().cov.At(0, 0)
	v, se = o.covariance(0, 0), lab.VarianceSE(exact, o.n)
	l.Estimate(what+": stationary variance of theta", exact, v, se,
		math.Abs(exact-o.law.cov.At(0, 0)))
	return v, se, nil
}

// points are measured numbers y against x, beside the exact ones.
type points struct{ x, y, se, exact []float64 }

func (p *points) add(x, y, se, exact float64) {
	p.x, p.y = append(p.x, x), append(p.y, y)
	p.se, p.exact = append(p.se, se), append(p.exact, exact)
}

// power checks the exponent of y ~ x^exponent against the exact numbers' exponent, which is fitted
// with the same weights and differs from the law's by its next order.
func power(l *lab.Lab, quantity string, p points) {
	l.Slope(quantity, lab.FitLog(lab.Logs(p.x), p.exact, p.se).Slope, p.x, p.y, p.se, 0)
}

// series returns the measured points, and the exact ones as a line.
func (p points) series() []figure.Series {
	return []figure.Series{
		{Name: "measured", X: p.x, Y: p.y, Err: p.se, Points: true},
		{Name: "exact", X: p.x, Y: p.exact, Line: true, Dashed: true},
	}
}

// byStepSize measures the bias of the stationary variance against h.
func byStepSize(l *lab.Lab) error {
	var bias points
	limit := standard(0).limitVariance()
	for _, h := range []float64{0.02, 0.04, 0.08, 0.12} {
		t := standard(h)
		v, se, err := stationaryVariance(l, fmt.Sprintf("pgd, h = %v", h), t, 4*replicates(l))
		if err != nil {
			return err
		}
		bias.add(h, v/limit-1, se/limit, t.stationary().cov.At(0, 0)/limit-1)
	}
	power(l, "pgd: order in h of the bias of Var theta (1 as h -> 0)", bias)
	l.Figure("toy-variance-against-h", figure.Plot{
		Title:  "pgd on the toy model: bias of the stationary variance",
		XLabel: "step size h", YLabel: "N (D+2) Var theta - 1",
		LogX: true, LogY: true, Series: bias.series(),
	})
	return nil
}

// byParticles measures the error of theta against N.
func byParticles(l *lab.Lab) error {
	var rmse points
	for _, n := range []int{1, 2, 4, 8, 16} {
		t := standard(0.1)
		t.particles = n
		v, se, err := stationaryVariance(l, fmt.Sprintf("pgd, N = %d", n), t, replicates(l))
		if err != nil {
			return err
		}
		root := math.Sqrt(v)
		rmse.add(float64(n), root, se/(2*root), math.Sqrt(t.stationary().cov.At(0, 0)))
	}
	power(l, "pgd: order in N of the RMSE of theta", rmse)
	l.Figure("toy-error-against-n", figure.Plot{
		Title:  "pgd on the toy model: error of theta",
		XLabel: "particles N per datapoint", YLabel: "RMSE of theta",
		LogX: true, LogY: true, Series: rmse.series(),
	})
	return nil
}

// byPoints measures the error of theta against M, which is D in this model.
func byPoints(l *lab.Lab) error {
	var rmse points
	for _, d := range []int{2, 4, 8, 16} {
		t := standard(0.3 / float64(d+2))
		t.points = d
		v, se, err := stationaryVariance(l, fmt.Sprintf("pgd, M = %d", d), t, replicates(l))
		if err != nil {
			return err
		}
		root := math.Sqrt(v)
		rmse.add(float64(d+2), root, se/(2*root), math.Sqrt(t.stationary().cov.At(0, 0)))
	}
	power(l, "pgd: order in M + 2 of the RMSE of theta", rmse)
	l.Figure("toy-error-against-m", figure.Plot{
		Title:  "pgd on the toy model: error of theta",
		XLabel: "M + 2, for M datapoints", YLabel: "RMSE of theta",
		LogX: true, LogY: true, Series: rmse.series(),
	})
	return nil
}
