package verify

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/pool"
)

// z is how many standard errors a measured number may be from the exact one. A normal law goes
// beyond 4.7 once in 380,000 draws: with up to a thousand checks, less than 1 run in 300 has a false alarm;
// the somewhat longer tails of measured variances are in the rest of the 1 in 100 of the package's comment.
const z = 4.7

// lab is what an experiment measures with.
type lab struct {
	Options
	experiment
	ctx    context.Context
	pool   *pool.Pool
	report *Report
}

// n is quick, or thorough for a thorough run.
func (l *lab) n(quick, thorough int) int {
	if l.Thorough {
		return thorough
	}
	return quick
}

// seed is the seed of the experiment's model number k: those of different experiments have
// nothing to do with each other.
func (l *lab) seed(k int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s/%s/%d", l.Seed, l.section, l.title, k)
	return h.Sum64()
}

// branch is a lab for a part of the experiment, with seeds of its own.
func (l *lab) branch(part string) *lab {
	b := *l
	b.title += "/" + part
	return &b
}

// models trains models 0 to n-1, independent of each other, side by side: each on a pool of one worker,
// which wastes no time on meeting others. The result must not depend on their order. It returns the
// error of the first that has one.
func (l *lab) models(n int, train func(k int, p *pool.Pool) error) error {
	errs := make([]error, n)
	l.pool.Run(n, func(k int) {
		p := pool.New(1)
		defer p.Close()
		errs[k] = train(k, p)
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) add(c Check) {
	c.Section = l.section
	l.report.Checks = append(l.report.Checks, c)
}

// judge adds a check whose verdict is whether Measured, a finite number, is within its bounds.
func (l *lab) judge(c Check) {
	c.Verdict = Fail
	if c.Low <= c.Measured && c.Measured <= c.High && !math.IsInf(c.Measured, 0) {
		c.Verdict = OK
	}
	l.add(c)
}

// estimate checks a number measured with standard error se against the exact one. allowance is a
// deterministic error that is known to be no larger.
func (l *lab) estimate(quantity string, exact, measured, se, allowance float64) {
	half := z*se + allowance
	l.judge(Check{
		Quantity: quantity, Exact: exact, Measured: measured, SE: se,
		Low: exact - half, High: exact + half, Note: allowed(allowance, half),
	})
}

// allowed notes an allowance that is a share worth mentioning of the accepted interval.
func allowed(allowance, half float64) string {
	if allowance <= 0.05*half {
		return ""
	}
	return fmt.Sprintf("allowance %.2g", allowance)
}

// atMost checks a number against an upper bound.
func (l *lab) atMost(quantity string, measured, bound float64) {
	l.judge(Check{Quantity: quantity, Exact: math.NaN(), Measured: measured, Low: math.Inf(-1), High: bound})
}

// between checks a number against two bounds.
func (l *lab) between(quantity string, measured, low, high float64) {
	l.judge(Check{Quantity: quantity, Exact: math.NaN(), Measured: measured, Low: low, High: high})
}

// slope checks the exponent of y ~ x^exponent, fitted to measured y with standard errors se (all
// 0: the scatter about the line decides). allowance is what the next order of the law may add.
func (l *lab) slope(quantity string, exact float64, x, y, se []float64, allowance float64) {
	f := fitLog(logs(x), y, se)
	l.slopeCheck(quantity, exact, f.slope, f.se, allowance)
}

// factor checks the factor of y ~ factor^x, as slope does its exponent.
func (l *lab) factor(quantity string, exact float64, x, y, se []float64, allowance float64) {
	f := fitLog(x, y, se)
	rate := math.Exp(f.slope)
	l.slopeCheck(quantity, exact, rate, f.se*rate, allowance)
}

func (l *lab) slopeCheck(quantity string, exact, measured, se, allowance float64) {
	note := fmt.Sprintf("95 %% interval %.4g to %.4g", measured-normal95*se, measured+normal95*se)
	half := z*se + allowance
	if more := allowed(allowance, half); more != "" {
		note += ", " + more
	}
	l.judge(Check{Quantity: quantity, Exact: exact, Measured: measured, SE: se, Low: exact - half, High: exact + half, Note: note})
}

// bracket checks a limit of stability: it must lie between the largest value seen stable and the
// smallest seen unstable.
func (l *lab) bracket(quantity string, exact, stable, unstable float64) {
	middle, half := (stable+unstable)/2, (unstable-stable)/2
	l.judge(Check{
		Quantity: quantity, Exact: exact, Measured: middle, Low: exact - half, High: exact + half,
		Note: fmt.Sprintf("stable at %.4g, unstable at %.4g", stable, unstable),
	})
}

// figure keeps a diagram; name is that of its file, without the ending.
func (l *lab) figure(name string, p figure.Plot) {
	l.report.Figures = append(l.report.Figures, NamedFigure{Name: name, Plot: p})
}
