package lab

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/record"
)

// Verdicts of a check.
const (
	OK   = "ok"
	Fail = "FAIL"
)

// Check is one measured number beside what it must be. Numbers that JSON does not have, such as an
// absent bound, are written as null.
type Check struct {
	Section  string        `json:"section"`  // of ALGORITHM.md
	Quantity string        `json:"quantity"` // what was measured
	Exact    record.Number `json:"exact"`    // the closed form; NaN where there are only bounds
	Measured record.Number `json:"measured"`
	SE       record.Number `json:"standard_error"` // of Measured; 0 where it has none
	Low      record.Number `json:"low"`            // Measured is accepted from Low to High
	High     record.Number `json:"high"`
	Verdict  string        `json:"verdict"` // OK or Fail
	Note     string        `json:"note,omitempty"`
}

// Z is how many standard errors a measured number may be from the exact one. A normal law goes
// beyond 4.7 once in 380,000 draws: with up to a thousand checks, fewer than 1 run in 300 has a
// false alarm. The somewhat longer tails of measured variances are in the rest of the 1 in 100
// that package verify states.
const Z = 4.7

func (l *Lab) add(c Check) {
	c.Section = l.experiment.Section
	l.found.Checks = append(l.found.Checks, c)
}

// judge adds a check whose verdict is whether the measured number is finite and from low to high.
func (l *Lab) judge(c Check, exact, measured, low, high float64) {
	c.Exact, c.Measured = record.Number(exact), record.Number(measured)
	c.Low, c.High = record.Number(low), record.Number(high)
	c.Verdict = Fail
	if low <= measured && measured <= high && c.Measured.Finite() {
		c.Verdict = OK
	}
	l.add(c)
}

// near checks a number that may be as far from the exact one as half.
func (l *Lab) near(c Check, exact, measured, half float64) {
	l.judge(c, exact, measured, exact-half, exact+half)
}

// Estimate checks a number measured with standard error se against the exact one. allowance bounds
// the deterministic errors.
func (l *Lab) Estimate(quantity string, exact, measured, se, allowance float64) {
	half := Z*se + allowance
	c := Check{Quantity: quantity, SE: record.Number(se), Note: allowed(allowance, half)}
	l.near(c, exact, measured, half)
}

// EstimateMean checks the mean of a sample against the exact one, as Estimate does.
func (l *Lab) EstimateMean(quantity string, exact float64, s Sample, allowance float64) {
	l.Estimate(quantity, exact, s.Mean(), s.SE(), allowance)
}

// allowed notes an allowance that is a noticeable share of the accepted interval.
func allowed(allowance, half float64) string {
	if allowance <= 0.05*half {
		return ""
	}
	return fmt.Sprintf("allowance %.2g", allowance)
}

// AtMost checks a number against an upper bound.
func (l *Lab) AtMost(quantity string, measured, bound float64) {
	l.Between(quantity, measured, math.Inf(-1), bound)
}

// Between checks a number against two bounds.
func (l *Lab) Between(quantity string, measured, low, high float64) {
	l.judge(Check{Quantity: quantity}, math.NaN(), measured, low, high)
}

// Slope checks the exponent of y ~ x^exponent, fitted to measured y with standard errors se. If
// all are 0, the scatter about the line decides. allowance is what the next order of the law may
// add.
func (l *Lab) Slope(quantity string, exact float64, x, y, se []float64, allowance float64) {
	f := FitLog(Logs(x), y, se)
	l.fitted(quantity, exact, f.Slope, f.SE, allowance)
}

// Factor checks the factor of y ~ factor^x, as Slope does the exponent.
func (l *Lab) Factor(quantity string, exact float64, x, y, se []float64, allowance float64) {
	f := FitLog(x, y, se)
	rate := math.Exp(f.Slope)
	l.fitted(quantity, exact, rate, f.SE*rate, allowance)
}

// fitted checks a number from a fit, and notes its interval.
func (l *Lab) fitted(quantity string, exact, measured, se, allowance float64) {
	low, high := measured-Normal95*se, measured+Normal95*se
	half := Z*se + allowance
	c := Check{Quantity: quantity, SE: record.Number(se)}
	c.Note = fmt.Sprintf("95 %% interval %.4g to %.4g", low, high)
	if more := allowed(allowance, half); more != "" {
		c.Note += ", " + more
	}
	l.near(c, exact, measured, half)
}

// Bracket checks a limit of stability: it must lie between the largest value seen stable and the
// smallest seen unstable.
func (l *Lab) Bracket(quantity string, exact, stable, unstable float64) {
	note := fmt.Sprintf("stable at %.4g, unstable at %.4g", stable, unstable)
	l.near(Check{Quantity: quantity, Note: note}, exact, (stable+unstable)/2, (unstable-stable)/2)
}
