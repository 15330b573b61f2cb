package trainer

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/method"
)

// watch looks for outliers of losses and gradients, which come before many a divergence. It only
// warns; a resumed run begins with an empty one.
type watch struct {
	series  [len(figures)]series
	scratch [recent]float64
}

const (
	recent   = 128 // values that say what is typical
	enough   = 32  // values before the first warning
	refresh  = 16  // values between two looks at what is typical
	outlying = 10  // an outlier is this many times the median, and the typical distance from it
	quiet    = 500 // steps without another warning of the same series
)

// series is the recent values of one figure, what is typical of them, and when it was warned of.
type series struct {
	values         [recent]float64
	n              int // values seen
	median, spread float64
	warned         int // step of the last warning
	untold         int // outliers since
}

func (w *watch) reset() { *w = watch{} }

// figures are the figures of the series, as a warning names them.
var figures = [...]string{
	"the decoder's loss", "the prior's loss",
	"the norm of the decoder's gradient", "the norm of the prior's gradient",
	"the norm of the encoder's gradient",
}

// observe lets the watch see a step's losses and gradients, and warns of outliers.
func (t *Trainer) observe(s method.Stats) {
	t.look(0, s.SquareError/s.Rows)
	t.look(1, s.PriorLoss/s.Rows)
	for i, norm := range s.GradientNorm { // of the networks in the order of method.Networks
		if norm > 0 {
			t.look(2+i, norm)
		}
	}
}

// look shows a value to one of the series.
func (t *Trainer) look(i int, v float64) {
	s := &t.warned.outliers.series[i]
	if !s.outlies(v) {
		s.add(v, t.warned.outliers.scratch[:])
		return
	}
	s.add(v, t.warned.outliers.scratch[:])
	if s.warned > 0 && t.step-s.warned < quiet {
		s.untold++
		return
	}
	more := ""
	if s.untold > 0 {
		more = fmt.Sprintf("; %d more since step %s", s.untold, humanize.Comma(int64(s.warned)))
	}
	s.warned, s.untold = t.step, 0
	t.warn(fmt.Sprintf("step %s: %s is %.3g, typical is %.3g%s: training may be about to diverge; "+
		"a smaller lr or step_size is safer",
		humanize.Comma(int64(t.step)), figures[i], v, s.median, more))
}

// outlies reports whether a value is far above the recent ones.
func (s *series) outlies(v float64) bool {
	above := v - s.median
	return s.n >= enough && above > outlying*s.spread && above > (outlying-1)*math.Abs(s.median)
}

// add takes a value in, and from time to time the median, and the median distance from it.
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
