package metric

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// AUROC is the area under the receiver operating characteristic: the probability that a score of
// positive is above one of negative, where ties count half. The interval of the given probability
// is from the asymptotic variance (DeLong, DeLong and Clarke-Pearson 1988), cut to [0, 1]. Fewer
// than two scores of either, or scores that are NaN, are an error.
func AUROC(positive, negative []float64, level float64) (Estimate, error) {
	if err := checkLevel(level); err != nil {
		return Estimate{}, err
	}
	m, n := len(positive), len(negative)
	if m < 2 || n < 2 {
		return Estimate{}, fmt.Errorf("metric: AUROC of %d positive and %d negative scores, "+
			"expected 2 or more of both", m, n)
	}
	if slices.ContainsFunc(positive, math.IsNaN) || slices.ContainsFunc(negative, math.IsNaN) {
		return Estimate{}, fmt.Errorf("metric: AUROC of scores that are NaN")
	}
	above, below := placements(positive, negative), placements(negative, positive)
	area := stat.Mean(above, nil)
	deviation := math.Sqrt(stat.Variance(above, nil)/float64(m) +
		stat.Variance(below, nil)/float64(n))
	margin := distuv.UnitNormal.Quantile((1+level)/2) * deviation
	return Estimate{Value: area, Low: max(0, area-margin), High: min(1, area+margin)}, nil
}

// placements is, for each score, the share of the others that are below it, with half of those
// that are the same.
func placements(scores, others []float64) []float64 {
	sorted := slices.Sorted(slices.Values(others))
	out := make([]float64, len(scores))
	for i, v := range scores {
		below := sort.SearchFloat64s(sorted, v)
		same := sort.Search(len(sorted), func(k int) bool { return sorted[k] > v }) - below
		out[i] = (float64(below) + float64(same)/2) / float64(len(sorted))
	}
	return out
}
