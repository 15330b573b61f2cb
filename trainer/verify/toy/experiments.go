package toy

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// Hierarchical are the experiments of section 8.1.
var Hierarchical = []lab.Experiment{
	{Section: "8.1", Title: "pgd: the law of theta after k steps", Run: lawAfterSteps},
	{Section: "8.1", Title: "pgd: contraction and the best step size", Run: contraction},
	{Section: "8.1", Title: "pgd: the limit of stability", Run: stability},
	{Section: "8.1", Title: "pgd: stationary variance against h", Run: byStepSize},
	{Section: "8.1", Title: "pgd: error of theta against N", Run: byParticles},
	{Section: "8.1", Title: "pgd: error of theta against M", Run: byPoints},
	{Section: "8.1", Title: "pgd: minibatches and inner steps", Run: minibatches},
	{Section: "8.1", Title: "pgd: particles with velocities", Run: withVelocities},
	{Section: "8.1", Title: "pgd: stationary variance with momentum", Run: settledVariances},
	{Section: "8.1", Title: "ipla: the law of noisy parameters", Run: noisyParameters},
	{Section: "8.1", Title: "ipla: theta spreads as the likelihood", Run: likelihoodSpread},
	{Section: "8.1", Title: "mpgd: momentum in both spaces", Run: momentum},
	{
		Section: "8.1", Title: "several moves before theta's: soul and abp and shortrun",
		Run: severalMoves,
	},
}

// rounding bounds the float32 rounding error of numbers of order dataMean.
const rounding = 1e-5

// checkLaw checks the mean and the variance of theta, its covariance with the first mean latent X,
// and the variance of X against the exact law.
func checkLaw(l *lab.Lab, what string, o *observed) {
	c := o.law.cov
	n := float64(o.n)
	se := math.Sqrt(c.At(0, 0) / n)
	l.Estimate(what+": mean of theta", o.law.mean.AtVec(0), o.mean(0), se, rounding)
	for _, pair := range []struct {
		name string
		i, j int
	}{{"variance of theta", 0, 0}, {"covariance of theta and X", 1, 0}, {"variance of X", 1, 1}} {
		i, j := pair.i, pair.j
		se := math.Sqrt((c.At(i, i)*c.At(j, j) + c.At(i, j)*c.At(i, j)) / (n - 1))
		allowance := rounding * math.Sqrt(c.At(i, i)+c.At(j, j))
		l.Estimate(what+": "+pair.name, c.At(i, j), o.covariance(i, j), se, allowance)
	}
}

// replicates is the number of replicates in an experiment on the toy model.
func replicates(l *lab.Lab) int { return l.N(32, 512) * modelWidth }

// watchAt returns empty observations of the exact laws after the given numbers of steps.
func (t toy) watchAt(at ...int) map[int]*observed {
	found := map[int]*observed{}
	for _, k := range at {
		found[k] = observe(t.after(k), t.seen())
	}
	return found
}

// laws trains and checks the law after each number of steps.
func laws(l *lab.Lab, what string, t toy, at ...int) error {
	found := t.watchAt(at...)
	if err := t.train(l, replicates(l), found); err != nil {
		return err
	}
	checkLaws(l, what, found, at)
	return nil
}

func checkLaws(l *lab.Lab, what string, found map[int]*observed, at []int) {
	for _, k := range at {
		checkLaw(l, fmt.Sprintf("%s, k = %d", what, k), found[k])
	}
}

// lawAfterSteps measures the error of theta against k: mean and covariance follow the affine
// recursion.
func lawAfterSteps(l *lab.Lab) error {
	t := standard(0.1)
	at := []int{1, 2, 5, 10, 20, 40, 80}
	found := t.watchAt(at...)
	if err := t.train(l, replicates(l), found); err != nil {
		return err
	}
	checkLaws(l, "pgd, h = 0.1", found, []int{1, 5, 20, 80}) // the others are for the diagram
	var bias, spread figure.Series
	for _, k := range at {
		o := found[k]
		v, n := o.covariance(0, 0), float64(o.n)
		bias = point(bias, float64(k), math.Abs(o.mean(0)-dataMean), math.Sqrt(v/n))
		spread = point(spread, float64(k), math.Sqrt(v), math.Sqrt(v/(2*n)))
	}
	bias.Name, spread.Name = "bias, measured", "standard deviation, measured"
	exact := [2]figure.Series{
		{Name: "bias, exact", Line: true, Dashed: true, Same: true},
		{Name: "standard deviation, exact", Line: true, Dashed: true, Same: true},
	}
	for k := range slices.Max(at) + 1 {
		law := t.after(k)
		exact[0] = point(exact[0], float64(k), math.Abs(law.mean.AtVec(0)-dataMean), 0)
		exact[1] = point(exact[1], float64(k), math.Sqrt(law.cov.At(0, 0)), 0)
	}
	l.Figure("toy-error-against-k", figure.Plot{
		Title:  "pgd on the toy model: error of theta",
		XLabel: "steps k", YLabel: "error of theta", LogY: true,
		Series: []figure.Series{bias, bare(exact[0]), spread, bare(exact[1])},
	})
	return nil
}

// point adds a point with an error bar to a series of points.
func point(s figure.Series, x, y, se float64) figure.Series {
	s.X, s.Y, s.Err, s.Points = append(s.X, x), append(s.Y, y), append(s.Err, se), !s.Line
	return s
}

// bare returns a series without its error bars.
func bare(s figure.Series) figure.Series {
	s.Err = nil
	return s
}

// meanError measures |E theta - mean y| after each number of steps, with new replicates for each
// so that the errors are independent.
func meanError(l *lab.Lab, t toy, at []int) (y, se []float64, err error) {
	for i, k := range at {
		found := map[int]*observed{k: observe(t.after(k), t.seen())}
		if err := t.train(l.Branch(fmt.Sprint(t.h, i)), l.N(8, 64)*modelWidth, found); err != nil {
			return nil, nil, err
		}
		o := found[k]
		y = append(y, math.Abs(o.mean(0)-dataMean))
		se = append(se, math.Sqrt(o.covariance(0, 0)/float64(o.n)))
	}
	return y, se, nil
}

// floats converts numbers of steps to coordinates.
func floats(at []int) []float64 {
	x := make([]float64, len(at))
	for i, k := range at {
		x[i] = float64(k)
	}
	return x
}

// contraction measures the factor by which the error falls per step, for several h.
func contraction(l *lab.Lab) error {
	base := standard(0)
	best := base.best()
	var measured, exact figure.Series
	rates := map[float64]float64{}
	for _, h := range []float64{0.05, 0.1, 0.2, 0.9 * best, best, 1.1 * best} {
		t := standard(h)
		// The start is so far out that the error is large beside the noise even when the other
		// eigenvalue has no more effect.
		t.start = dataMean + 2000
		rate := t.contraction()
		// The numbers of steps are even because at the best h the two factors are rate and -rate.
		later := 2 * int(math.Ceil(math.Log(0.05)/math.Log(rate)/2))
		at := []int{2 * later, 2*later + later/4*2, 3 * later}
		y, se, err := meanError(l, t, at)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("pgd, h = %.4g: contraction of the error of theta per step", h)
		l.Factor(name, rate, floats(at), y, se, t.transient(at, se))
		f := lab.FitLog(floats(at), y, se)
		rates[h] = math.Exp(f.Slope)
		measured = point(measured, h, rates[h], f.SE*rates[h])
	}
	const relative = "pgd: contraction at h = 2/(D+2) relative to 10 % "
	l.Between(relative+"below", rates[best]/rates[0.9*best], 0, 1)
	l.Between(relative+"above", rates[best]/rates[1.1*best], 0, 1)
	for i := range 201 {
		t := standard(base.limit() * 1.05 * float64(i) / 200)
		exact = point(exact, t.h, t.contraction(), 0)
	}
	measured.Name = "measured"
	exact = figure.Series{
		Name: "max |1 - h lambda|", X: exact.X, Y: exact.Y, Line: true, Dashed: true,
	}
	l.Figure("toy-contraction", figure.Plot{
		Title:  "pgd on the toy model: contraction of the error of theta",
		XLabel: "step size h", YLabel: "factor per step",
		Series: []figure.Series{measured, exact},
	})
	return nil
}

// transient is how much the other eigenvalue still changes the factor, which is fitted to the
// exact errors with the same weights.
func (t toy) transient(at []int, se []float64) float64 {
	var y []float64
	for _, k := range at {
		y = append(y, math.Abs(t.after(k).mean.AtVec(0)-dataMean))
	}
	return math.Abs(math.Exp(lab.FitLog(floats(at), y, se).Slope)-t.contraction()) + rounding
}

// stability brackets the largest stable h, below which the error of theta shrinks and above which
// it grows.
func stability(l *lab.Lab) error {
	const from, to = 40, 80
	limit := standard(0).limit()
	stable, unstable := 0.0, math.Inf(1)
	for _, share := range []float64{0.9, 0.97, 0.99, 0.998, 1.002, 1.01, 1.03} {
		t := standard(share * limit)
		t.start = dataMean + 20
		y, se, err := meanError(l, t, []int{from, to})
		if err != nil {
			return err
		}
		if y[1] > max(y[0], lab.Z*se[1]) { // grown by more than noise
			unstable = min(unstable, t.h)
		} else {
			stable = max(stable, t.h)
		}
	}
	l.Bracket("pgd: limit of stability in h, ((D+2) - sqrt(D^2+4))/D", limit, stable, unstable)
	return nil
}
