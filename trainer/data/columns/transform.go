package columns

import (
	"math"
	"slices"
)

// transform is what is done to a number before it is standardised.
func (c *Column) transform(v float64) float64 {
	switch c.Transform {
	case Log:
		// Numbers below the range, of other data, would have no logarithm.
		return math.Log(max(v-c.Min+c.Shift, c.Shift*leastShare))
	case Rank:
		return along(v, c.Quantiles, c.Scores)
	}
	return v
}

// leastShare of the shift is the least number whose logarithm is taken.
const leastShare = 1e-3

// inverse undoes transform.
func (c *Column) inverse(t float64) float64 {
	switch c.Transform {
	case Log:
		return math.Exp(t) + c.Min - c.Shift
	case Rank:
		return along(t, c.Scores, c.Quantiles)
	}
	return t
}

// along returns the value at v of the line through the points (x, y), both strictly ascending, of
// which the first and the last piece go on beyond the ends.
func along(v float64, x, y []float64) float64 {
	i, found := slices.BinarySearch(x, v)
	if found {
		return y[i]
	}
	i = max(1, min(i, len(x)-1))
	slope := (y[i] - y[i-1]) / (x[i] - x[i-1])
	return y[i-1] + float64((v-x[i-1])*slope)
}

// quantiles is the number of pieces of a rank transform.
const quantiles = 100

// fit sets the numbers that describe the known cells of a column of numbers or dates, unless they
// are set: the range, the transform, and the mean and the standard deviation of what it gives.
func (c *Column) fit(values []float64) {
	if c.Scale != 0 {
		return
	}
	known := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	c.Min, c.Max = slices.Min(known), slices.Max(known)
	switch c.Transform {
	case Log:
		c.Shift = shift(known, c.Min, c.Max)
	case Rank:
		c.Quantiles, c.Scores = ranks(known)
	default:
		c.Transform = Standard
	}
	// In two passes, so that a small spread about a large mean is not lost.
	sum := 0.0
	for _, v := range known {
		sum += c.transform(v)
	}
	c.Mean = sum / float64(len(known))
	sum = 0
	for _, v := range known {
		d := c.transform(v) - c.Mean
		sum += float64(d * d) // rounded, on all processors
	}
	c.Scale = math.Sqrt(sum / float64(len(known)))
}

// shift returns the shift of Log.
func shift(known []float64, lo, hi float64) float64 {
	if lo > 0 {
		return lo
	}
	next := hi
	for _, v := range known {
		if v > lo {
			next = min(next, v)
		}
	}
	return max(next-lo, (hi-lo)/1e4)
}

// ranks returns quantiles of the values and the normal scores that belong to them. Several
// quantiles of the same value are one, with the mean of their scores.
func ranks(values []float64) (at, scores []float64) {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	pieces := min(quantiles, n-1)
	count := 0.0
	for k := range pieces + 1 {
		i := k * (n - 1) / pieces
		score := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(n)-1)
		if last := len(at) - 1; last >= 0 && at[last] == sorted[i] {
			count++
			scores[last] += (score - scores[last]) / count
			continue
		}
		at, scores, count = append(at, sorted[i]), append(scores, score), 1
	}
	return at, scores
}
