package metric

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/plume-ml/plume/trainer/pool"
)

// Variable is a column of a table: numbers, or categories. A missing value is NaN.
type Variable struct {
	Values     []float64 // one for each row
	Categories int       // K, where the values are categories 0 to K-1; 0: they are numbers
}

// Variables are the columns of a table, with one value for each of its rows.
type Variables []Variable

// Len is the number of rows.
func (v Variables) Len() int {
	if len(v) == 0 {
		return 0
	}
	return len(v[0].Values)
}

// Take returns the rows with the given indices, which may repeat.
func (v Variables) Take(rows []int) Variables {
	out := make(Variables, len(v))
	for i, c := range v {
		out[i] = Variable{make([]float64, len(rows)), c.Categories}
		for k, row := range rows {
			out[i].Values[k] = c.Values[row]
		}
	}
	return out
}

// check reports values that are neither missing nor what the variable has.
func (v Variable) check() error {
	for i, x := range v.Values {
		switch {
		case math.IsNaN(x):
		case math.IsInf(x, 0):
			return fmt.Errorf("metric: value %d of a column is %v, expected a finite one", i, x)
		case v.Categories > 0 && (x != math.Trunc(x) || x < 0 || x >= float64(v.Categories)):
			return fmt.Errorf("metric: value %d of a column is %v, expected one of categories 0 "+
				"to %d", i, x, v.Categories-1)
		}
	}
	return nil
}

// checkTables reports tables that cannot be compared column by column.
func checkTables(a, b Variables) error {
	if len(a) != len(b) {
		return fmt.Errorf("metric: tables of %d and of %d columns, expected the same", len(a),
			len(b))
	}
	for i := range a {
		if a[i].Categories != b[i].Categories {
			return fmt.Errorf("metric: column %d has %d categories in one table and %d in the "+
				"other, expected the same", i, a[i].Categories, b[i].Categories)
		}
		for _, t := range []Variables{a, b} {
			if len(t[i].Values) != t.Len() {
				return fmt.Errorf("metric: column %d has %d values, expected %d", i,
					len(t[i].Values), t.Len())
			}
			if err := t[i].check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// known returns the values that are not missing.
func (v Variable) known() []float64 {
	return slices.DeleteFunc(slices.Clone(v.Values), math.IsNaN)
}

// counts returns how often each category is there.
func (v Variable) counts() []float64 {
	counts := make([]float64, v.Categories)
	for _, x := range v.Values {
		if !math.IsNaN(x) {
			counts[int(x)]++
		}
	}
	return counts
}

// MarginalDistance is the distance of two columns as distributions of single values, whatever else
// is in their rows; missing values do not count. For numbers it is the 1-Wasserstein distance in
// units of the reference's standard deviation, for categories the total variation distance. No
// known values, and numbers of a reference that are all equal, give ErrUnfit.
func MarginalDistance(v, reference Variable) (float64, error) {
	if err := checkTables(Variables{v}, Variables{reference}); err != nil {
		return 0, err
	}
	x, y := v.known(), reference.known()
	if len(x) == 0 || len(y) == 0 {
		return 0, unfit("metric: a column has no known values")
	}
	if v.Categories > 0 {
		return totalVariation(v.counts(), reference.counts()), nil
	}
	deviation := stat.PopStdDev(y, nil)
	if !(deviation > 0) {
		return 0, unfit("metric: the values of the reference are all equal")
	}
	slices.Sort(x)
	slices.Sort(y)
	return wasserstein1(x, y) / deviation, nil
}

// wasserstein1 is the Wasserstein distance of order 1 of two sorted sets of numbers: the integral
// of the difference of their distribution functions (Vallender 1974).
func wasserstein1(x, y []float64) float64 {
	n, m := float64(len(x)), float64(len(y))
	sum, last := 0.0, min(x[0], y[0])
	for i, j := 0, 0; i < len(x) || j < len(y); {
		next := math.Inf(1)
		if i < len(x) {
			next = x[i]
		}
		if j < len(y) {
			next = min(next, y[j])
		}
		sum += math.Abs(float64(i)/n-float64(j)/m) * (next - last)
		last = next
		for i < len(x) && x[i] == next {
			i++
		}
		for j < len(y) && y[j] == next {
			j++
		}
	}
	return sum
}

// totalVariation is half the sum of the differences of shares: the largest difference that two
// distributions make for the probability of any set of categories.
func totalVariation(p, q []float64) float64 {
	n, m := total(p), total(q)
	sum := 0.0
	for i := range p {
		sum += math.Abs(p[i]/n - q[i]/m)
	}
	return sum / 2
}

// TableInterval is f of two tables with a bootstrap interval and bias (see Estimate) over the rows
// of both, without the resamples that are unfit (ErrUnfit). Several goroutines call f at once. It
// ends with ctx's error soon after ctx ends.
func TableInterval(
	ctx context.Context, a, b Variables, f func(a, b Variables) (float64, error), bs Bootstrap,
	p *pool.Pool,
) (Estimate, error) {
	if err := bs.check(); err != nil {
		return Estimate{}, err
	}
	value, err := f(a, b)
	if err != nil {
		return Estimate{}, err
	}
	resampled := make([]float64, bs.Resamples)
	err = runUntil(ctx, p, bs.Resamples, func(r int) {
		v, err := f(a.Take(bs.drawn(a.Len(), 0, r)), b.Take(bs.drawn(b.Len(), 1, r)))
		if err != nil {
			v = math.NaN()
		}
		resampled[r] = v
	})
	if err != nil {
		return Estimate{}, err
	}
	resampled = slices.DeleteFunc(resampled, math.IsNaN)
	if 2*len(resampled) < bs.Resamples {
		return Estimate{}, unfit("metric: most resamples have no known values")
	}
	return bs.around(value, resampled), nil
}

// drawn returns the rows of resample r of a set of n.
func (b Bootstrap) drawn(n, set, r int) (rows []int) {
	for row, count := range newTally(n).draw(b.Seed, set, r) {
		for range count {
			rows = append(rows, row)
		}
	}
	return rows
}
