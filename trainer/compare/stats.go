package compare

import (
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// spread returns the mean and the standard deviation of the values that are not NaN.
func spread(values []record.Number) Cell {
	nan := record.Number(math.NaN())
	known := slices.DeleteFunc(slices.Clone(values), func(v record.Number) bool { return v != v })
	c := Cell{Mean: nan, SD: nan, N: len(known)}
	if c.N == 0 {
		return c
	}
	c.Mean = 0
	for _, v := range known {
		c.Mean += v
	}
	c.Mean /= record.Number(c.N)
	if c.N > 1 {
		var square record.Number
		for _, v := range known {
			square += (v - c.Mean) * (v - c.Mean)
		}
		c.SD = record.Number(math.Sqrt(float64(square) / float64(c.N-1)))
	}
	return c
}

// pooledError returns the standard error of the difference of two means with the pooled variance of
// both samples: s sqrt(1/n + 1/m). It is NaN if neither has two values.
func pooledError(a, b Cell) float64 {
	freedom := float64(a.N + b.N - 2)
	var square float64
	for _, c := range []Cell{a, b} {
		if c.N > 1 {
			square += float64(c.N-1) * float64(c.SD) * float64(c.SD)
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
		if best < 0 || better == evaluate.Lower && c.Mean < cells[best].Mean ||
			better == evaluate.Higher && c.Mean > cells[best].Mean {
			best = i
		}
	}
	if best < 0 {
		return
	}
	for _, c := range cells {
		c.Best = c.Mean == cells[best].Mean
		// Without a standard error (single runs) it is NaN, and nothing ties.
		apart := math.Abs(float64(c.Mean - cells[best].Mean))
		c.Tied = !c.Best && c.N > 0 && apart <= pooledError(*c, *cells[best])
	}
}
