package trainer

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/method"
)

// watch looks for outliers of losses and gradients, which often precede a divergence. It only
// warns; a resumed run begins with an empty one.
type watch struct {
	series  [len(figures)]series
	scratch [recent]float64
}

const (
	recent   = 128 // number of latest values that define what is typical
	enough   = 32  // values before the first warning
	refresh  = 16  // values between two updates of median and spread
	outlying = 10  // an outlier is so many times the median, and so many spreads above it
	quiet    = 500 // steps between two warnings of the same series
)

// series holds the recent values of one figure, their statistics, and the last warning.
type series struct {
	values         [recent]float64
	n              int     // values seen
	median, spread float64 // spread: the median distance from the median
	warned         int     // step of the last warning
	since          int     // outliers since then
}

func (w *watch) reset() { *w = watch{} }

// figures are the names of the series' figures in warnings.
var figures = [...]string{
	"the decoder's loss", "the prior's loss",
	"the norm of the decoder's gradient", "the norm of the prior's gradient",
	"the norm of the encoder's gradient",
}

// observe adds a step's losses and gradients to the watch, and warns of outliers.
func (t *Trainer) observe(s method.Stats) {
	t.look(0, s.SquareError/s.Rows)
	t.look(1, s.PriorLoss/s.Rows)
	for i, norm := range s.GradientNorm { // of the networks in the order of method.Networks
		if norm > 0 {
			t.look(2+i, norm)
		}
	}
}

// look adds a value to series i, and warns if it is an outlier.
func (t *Trainer) look(i int, v float64) {
	s := &t.warned.outliers.series[i]
	if !s.outlies(v) {
		s.add(v, t.warned.outliers.scratch[:])
		return
	}
	s.add(v, t.warned.outliers.scratch[:])
	if s.warned > 0 && t.step-s.warned < quiet {
		s.since++
		return
	}
	more := ""
	if s.since > 0 {
		more = fmt.Sprintf("; %d more since step %s", s.since, humanize.Comma(int64(s.warned)))
	}
	s.warned, s.since = t.step, 0
	t.warn(fmt.Sprintf("step %s: %s is %.3g, typical is %.3g%s: training may be about to diverge; "+
		"a smaller lr or step_size is safer",
		humanize.Comma(int64(t.step)), figures[i], v, s.median, more))
}

// outlies reports whether a value is far above the recent ones.
func (s *series) outlies(v float64) bool {
	above := v - s.median
	return s.n >= enough && above > outlying*s.spread && above > (outlying-1)*math.Abs(s.median)
}

// add adds a value, and updates median and spread every refresh values.
func (s *series) add(v float64, scratch []float64) {
	s.values[s.n%recent] = v
	s.n++
	if s.n%refresh != 0 {
		return
	}
	x := scratch[:copy(scratch, s.values[:min(s.n, recent)])]
	slices.Sort(x)
	s.median = x[len(x)/2]
	for i, v := range x {
		x[i] = math.Abs(v - s.median)
	}
	slices.Sort(x)
	s.spread = x[len(x)/2]
}
