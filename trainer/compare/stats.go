package compare

import (
	"math"

	"github.com/plume-ml/plume/trainer/evaluate"
)

// Cell is one quantity of one contestant over its finished runs.
type Cell struct {
	Mean, SD float64 // NaN without runs; SD, with divisor N - 1, needs two
	N        int
	Best     bool // the best mean of the column, of equal ones each
	Tied     bool // another mean, within one pooled standard error of the best
}

// spread returns the mean and the standard deviation of the values that are numbers.
func spread(values []float64) Cell {
	var c Cell
	for _, v := range values {
		if !math.IsNaN(v) {
			c.N++
			c.Mean += v
		}
	}
	if c.N == 0 {
		return Cell{Mean: math.NaN(), SD: math.NaN()}
	}
	c.Mean /= float64(c.N)
	c.SD = math.NaN()
	if c.N > 1 {
		var square float64
		for _, v := range values {
			if !math.IsNaN(v) {
				square += (v - c.Mean) * (v - c.Mean)
			}
		}
		c.SD = math.Sqrt(square / float64(c.N-1))
	}
	return c
}

// pooledError is the standard error of the difference of two means with the variance that both samples
// share: s sqrt(1/n + 1/m). NaN if neither has two values.
func pooledError(a, b Cell) float64 {
	freedom := float64(a.N + b.N - 2)
	var square float64
	for _, c := range []Cell{a, b} {
		if c.N > 1 {
			square += float64(c.N-1) * c.SD * c.SD
		}
	}
	return math.Sqrt(square / freedom * (1/float64(a.N) + 1/float64(b.N)))
}

// rank marks the best cell of a column and those that tie with it.
func rank(cells []*Cell, better string) {
	best := -1
	for i, c := range cells {
		if c.N == 0 || better == "" {
			continue
		}
		if best < 0 || better == evaluate.Lower && c.Mean < cells[best].Mean || better == evaluate.Higher && c.Mean > cells[best].Mean {
			best = i
		}
	}
	if best < 0 {
		return
	}
	for _, c := range cells {
		c.Best = c.Mean == cells[best].Mean
		// NaN, of single runs, ties with nothing.
		c.Tied = !c.Best && c.N > 0 && math.Abs(c.Mean-cells[best].Mean) <= pooledError(*c, *cells[best])
	}
}
