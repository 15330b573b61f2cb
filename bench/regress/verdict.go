package main

import (
	"errors"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// alpha is the significance level: the probability of finding a difference where there is none.
const alpha = 0.05

// change is one measure of a benchmark on both sides.
type change struct {
	series
	base, head float64 // medians
	time       float64 // relative increase of the time, or of the inverse of a rate
	spread     float64 // largest relative error of a median, with 95 % confidence
	benchmath.Comparison
}

// comparison compares all benchmarks that both sides have.
type comparison struct {
	threshold      float64
	compared       int // benchmarks
	slower, faster []change
	tooFew         []string // benchmarks with too few runs for any difference to be significant
	noisy          []string // benchmarks whose spread is above the threshold
	onlyBase       []string
	onlyHead       []string
	prefix         string // of all names, which need not be printed
}

// compare judges every benchmark by its time and its rates. Since they are equivalent if the work
// is fixed, only the first that became slower, or faster, is listed.
func judge(base, head *results, threshold float64) *comparison {
	c := &comparison{
		threshold: threshold, onlyHead: missing(head, base), onlyBase: missing(base, head),
		prefix: onlyPackage(base, head),
	}
	for _, name := range base.names {
		if head.units[name] == nil {
			continue
		}
		c.compared++
		var changes []change
		for _, unit := range base.units[name] {
			s := series{name, unit}
			if judged(unit) && head.values[s] != nil {
				changes = append(changes, newChange(s, base.values[s], head.values[s]))
			}
		}
		c.sort(name, changes)
	}
	return c
}

// onlyPackage is what the names of all benchmarks begin with, if they are of one package.
func onlyPackage(sides ...*results) (prefix string) {
	for _, side := range sides {
		for pkg := range side.packages {
			if prefix != "" && prefix != pkg+"." {
				return ""
			}
			prefix = pkg + "."
		}
	}
	return prefix
}

// sort puts a benchmark into the list where its changes belong, if any.
func (c *comparison) sort(name string, changes []change) {
	for _, ch := range changes {
		if !detectable(ch.N1, ch.N2) {
			c.tooFew = append(c.tooFew, name)
			return
		}
	}
	significant := func(sign float64) int {
		return slices.IndexFunc(changes, func(ch change) bool {
			return ch.P < alpha && sign*ch.time > c.threshold
		})
	}
	if i := significant(1); i >= 0 {
		c.slower = append(c.slower, changes[i])
	} else if i := significant(-1); i >= 0 {
		c.faster = append(c.faster, changes[i])
	} else if slices.ContainsFunc(changes, func(ch change) bool {
		return ch.spread > c.threshold
	}) {
		c.noisy = append(c.noisy, name)
	}
}

// missing returns the benchmarks of a that b does not have.
func missing(a, b *results) (names []string) {
	for _, name := range a.names {
		if b.units[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// judged says whether a unit is one of time or of a rate.
func judged(unit string) bool { return unit == "sec/op" || isRate(unit) }

func isRate(unit string) bool { return strings.HasSuffix(unit, "/s") }

func newChange(s series, base, head []float64) change {
	thresholds := benchmath.DefaultThresholds
	thresholds.CompareAlpha = alpha
	a := benchmath.NewSample(slices.Clone(base), &thresholds)
	b := benchmath.NewSample(slices.Clone(head), &thresholds)
	ch := change{series: s, Comparison: benchmath.AssumeNothing.Compare(a, b)}
	before := benchmath.AssumeNothing.Summary(a, 1-alpha)
	after := benchmath.AssumeNothing.Summary(b, 1-alpha)
	ch.base, ch.head = before.Center, after.Center
	for _, m := range []benchmath.Summary{before, after} {
		ch.spread = max(ch.spread, m.Hi/m.Center-1, 1-m.Lo/m.Center)
	}
	ch.time = ch.head/ch.base - 1
	if isRate(s.unit) {
		ch.time = ch.base/ch.head - 1
	}
	return ch
}

// detectable says whether a rank test of samples of these sizes can find a difference at all. Its
// smallest p is the probability of the two most extreme orders.
func detectable(n1, n2 int) bool {
	logWays := lgamma(n1+n2+1) - lgamma(n1+1) - lgamma(n2+1)
	return 2*math.Exp(-logWays) < alpha
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}

// verdict says whether a benchmark became slower. It is an error if no benchmark was run often
// enough on both sides.
func (c *comparison) verdict() (slower bool, err error) {
	switch {
	case c.compared == 0:
		return false, errors.New("no verdict: the two sides have no benchmark in common")
	case c.compared == len(c.tooFew):
		return false, errors.New("no verdict: too few runs to tell a change from noise; " +
			"4 on both sides are the least, 10 are better")
	}
	return len(c.slower) > 0, nil
}
