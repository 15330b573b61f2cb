package metric

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Associations are how strongly the columns of a table go together, a symmetric matrix with N
// columns: At has N x N numbers.
//
// Of two columns of numbers it is Pearson's correlation, in [-1, 1]; of numbers and categories the
// correlation ratio (eta: the root of the share of the numbers' variance that lies between
// categories); of two columns of categories Cramér's V (Cramér 1946), over the categories that are
// there. The last two are in [0, 1], and above 0 by chance in finite tables. Each pair counts the
// rows that know both values; a column that is constant in them goes together with nothing: 0. With
// fewer than 2 such rows it is NaN.
type Associations struct {
	N  int
	At []float64
}

// NewAssociations measures the associations of the columns of a table. Columns of different lengths
// and values that cannot be are errors.
func NewAssociations(v Variables) (*Associations, error) {
	if err := checkTables(v, v); err != nil {
		return nil, err
	}
	m := &Associations{len(v), make([]float64, len(v)*len(v))}
	for i := range v {
		m.At[i*m.N+i] = 1
		for j := range i {
			a := association(v[i], v[j])
			m.At[i*m.N+j], m.At[j*m.N+i] = a, a
		}
	}
	return m, nil
}

// AssociationDifference is the mean, over all pairs of columns, of the absolute difference between
// the associations in the two tables. Pairs that one of them does not tell are left out; if there
// are no others it gives ErrUnfit.
func AssociationDifference(a, b Variables) (float64, error) {
	if err := checkTables(a, b); err != nil {
		return 0, err
	}
	x, err := NewAssociations(a)
	if err != nil {
		return 0, err
	}
	y, err := NewAssociations(b)
	if err != nil {
		return 0, err
	}
	sum, pairs := 0.0, 0
	for i := range x.N {
		for j := range i {
			if d := math.Abs(x.At[i*x.N+j] - y.At[i*x.N+j]); !math.IsNaN(d) {
				sum, pairs = sum+d, pairs+1
			}
		}
	}
	if pairs == 0 {
		return 0, unfit("metric: there are no two columns whose association is known")
	}
	return sum / float64(pairs), nil
}

func association(v, w Variable) float64 {
	x, y := make([]float64, 0, len(v.Values)), make([]float64, 0, len(v.Values))
	for i, a := range v.Values {
		if b := w.Values[i]; !math.IsNaN(a) && !math.IsNaN(b) {
			x, y = append(x, a), append(y, b)
		}
	}
	switch {
	case len(x) < 2:
		return math.NaN()
	case v.Categories == 0 && w.Categories == 0:
		return correlation(x, y)
	case v.Categories == 0:
		return correlationRatio(x, y, w.Categories)
	case w.Categories == 0:
		return correlationRatio(y, x, v.Categories)
	}
	return cramer(x, y, v.Categories, w.Categories)
}

// correlation is Pearson's; 0 for a constant.
func correlation(x, y []float64) float64 {
	if constant(x) || constant(y) {
		return 0
	}
	return min(1, max(-1, stat.Correlation(x, y, nil)))
}

func constant(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// correlationRatio is eta of the numbers x in the categories y, of which there are k.
func correlationRatio(x, y []float64, k int) float64 {
	if constant(x) {
		return 0
	}
	sums, counts := make([]float64, k), make([]float64, k)
	mean := stat.Mean(x, nil)
	all := 0.0
	for i, v := range x {
		sums[int(y[i])] += v - mean
		counts[int(y[i])]++
		all += (v - mean) * (v - mean)
	}
	between := 0.0
	for c, sum := range sums {
		if counts[c] > 0 {
			between += sum * sum / counts[c]
		}
	}
	return math.Sqrt(min(1, between/all))
}

// cramer is Cramér's V of the categories x and y, of which there are k and l: the root of
// chi^2 / (n (min(rows, columns) - 1)) of their table of counts without empty rows and columns.
func cramer(x, y []float64, k, l int) float64 {
	cells, rows, columns := make([]float64, k*l), make([]float64, k), make([]float64, l)
	for i := range x {
		a, b := int(x[i]), int(y[i])
		cells[a*l+b]++
		rows[a]++
		columns[b]++
	}
	square := 0.0 // chi^2 / n + 1
	for a, row := range rows {
		for b, column := range columns {
			if c := cells[a*l+b]; c > 0 {
				square += c * c / (row * column)
			}
		}
	}
	smaller := min(present(rows), present(columns))
	if smaller < 2 {
		return 0
	}
	return math.Sqrt(min(1, max(0, square-1)/float64(smaller-1)))
}

// present is how many counts are above 0.
func present(counts []float64) (n int) {
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}
