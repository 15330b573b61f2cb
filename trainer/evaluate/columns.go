package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/record"
)

// ColumnReport is what is known of a column of a table. Unknown values are NaN.
type ColumnReport struct {
	Column  string        `json:"column"`
	Kind    columns.Kind  `json:"kind"`
	Missing record.Number `json:"missing"` // share of the training rows' cells

	// Distance is that of the samples' values from those of training rows: the 1-Wasserstein
	// distance in standard deviations, or of truth values and categories the total variation
	// distance. Floor is what real rows reach in their place.
	Distance record.Number `json:"distance"`
	Floor    record.Number `json:"distance_floor"`

	// Error is that of hidden cells as the model fills them in: the root mean squared error in
	// standard deviations, or the share of wrong categories. Simple is the error of the training
	// rows' mean, or of their most frequent category.
	Error  record.Number `json:"imputation_error"`
	Simple record.Number `json:"simple_imputation_error"`
	Hidden int           `json:"hidden_cells"`
}

// pictureOnly are the groups that say nothing of tables, whose columns are compared instead.
var pictureOnly = []string{PCA, Classifier, Sliced, ByClass, Precision}

// suits reports whether a group is for the run's kind of data, and notes it if it was asked for and
// is not.
func (e *evaluation) suits(group string) bool {
	switch {
	case e.schema == nil && group == Table:
		if e.named {
			e.note("no metrics of columns: the run was trained on %s, and not on a table",
				e.config.As)
		}
		return false
	case e.config.As != data.Signals && group == Spectrum:
		if e.named {
			e.note("no spectra: the run was trained on %s, and not on signals", e.config.As)
		}
		return false
	case e.schema != nil && slices.Contains(pictureOnly, group):
		e.leftOut = append(e.leftOut, group)
		return false
	}
	return true
}

// noteLeftOut says which groups were not measured because the data are a table.
func (e *evaluation) noteLeftOut() {
	if len(e.leftOut) > 0 {
		e.note("left out, since the data are a table: %s, which are for pictures; the group %s "+
			"compares the columns", strings.Join(e.leftOut, ", "), Table)
	}
}

// mostRows bounds the training rows that samples of a table are compared with.
const mostRows = 20000

// tables are what the metrics of tables compare, all decoded: samples with training rows of a
// reference, and for the floor as many real rows with the same ones.
type tables struct {
	samples, reference, real metric.Variables // of the modelled columns
	filled                   int              // training rows in real
}

// newTables chooses the rows. There are as many samples as there are held-out rows and training
// rows that the reference can do without, which is half of them.
func (e *evaluation) newTables() *tables {
	train, held := e.own.Train, e.own.Held
	own := min(e.Samples, held.Len())
	filled := min(e.Samples-own, train.Len()/2)
	order := shuffled(train.Len(), e.Seed)
	rest := order[filled:]
	rest = rest[:min(len(rest), mostRows)]
	samples := e.schema.Decoded(gather(e.images(), data.Range(0, own+filled),
		e.generator.Dim()), nil)
	real := e.variables(data.Decoded(train, order[:filled]))
	for i, c := range e.variables(data.Decoded(held, shuffled(held.Len(), e.Seed)[:own])) {
		real[i].Values = append(real[i].Values, c.Values...)
	}
	return &tables{
		samples: e.variables(samples), reference: e.variables(data.Decoded(train, rest)),
		real: real, filled: filled,
	}
}

// variables are the modelled columns of a table.
func (e *evaluation) variables(t *columns.Table) (all metric.Variables) {
	for c := range e.schema.Columns {
		of := &e.schema.Columns[c]
		if !of.Kind.Modelled() {
			continue
		}
		v := metric.Variable{Values: t.Values[c]}
		switch of.Kind {
		case columns.Boolean:
			v.Categories = 2
		case columns.Categorical:
			v.Categories = len(of.Categories)
		}
		all = append(all, v)
	}
	return all
}

// modelled are the columns that variables are of.
func (e *evaluation) modelled() (all []*columns.Column) {
	for c := range e.schema.Columns {
		if e.schema.Columns[c].Kind.Modelled() {
			all = append(all, &e.schema.Columns[c])
		}
	}
	return all
}

// table measures the samples of a table, and how its missing cells are filled in.
func (e *evaluation) table() error {
	e.doing.Set(fmt.Sprintf("columns of %d samples", e.Samples))
	t := e.newTables()
	if err := e.reportColumns(t); err != nil {
		return err
	}
	numbers := func(v metric.Variable) bool { return v.Categories == 0 }
	categories := func(v metric.Variable) bool { return v.Categories > 0 }
	for _, m := range []tableMetric{
		{Metric{
			Name: "columns of numbers", Key: "table_numbers", Unit: "std",
			Note: "mean over these columns of the 1-Wasserstein distance, in standard deviations",
		}, e.meanDistance(numbers)},
		{Metric{
			Name: "columns of categories", Key: "table_categories",
			Note: "mean over these columns of the total variation distance",
		}, e.meanDistance(categories)},
		{Metric{
			Name: "associations", Key: "table_associations",
			Note: "mean over the pairs of " + leading(t.samples) + " of the absolute " +
				"difference of their associations: Pearson's correlation, correlation ratio or " +
				"Cramér's V",
		}, func(a, b metric.Variables) (float64, error) {
			return metric.AssociationDifference(associated(a), associated(b))
		}},
	} {
		if err := e.compareTables(t, m); err != nil {
			return err
		}
	}
	return e.imputation()
}

// mostAssociated bounds the columns whose associations are compared, since their pairs are many.
const mostAssociated = 64

// associated are the columns whose associations are compared.
func associated(v metric.Variables) metric.Variables { return v[:min(mostAssociated, len(v))] }

// leading says which these are.
func leading(v metric.Variables) string {
	if len(v) <= mostAssociated {
		return "columns"
	}
	return fmt.Sprintf("the first %d columns", mostAssociated)
}

// tableMetric is a distance of tables.
type tableMetric struct {
	Metric
	of func(a, b metric.Variables) (float64, error)
}

// meanDistance is the mean of the distances of those columns that have one.
func (e *evaluation) meanDistance(
	counts func(metric.Variable) bool,
) func(a, b metric.Variables) (float64, error) {
	return func(a, b metric.Variables) (float64, error) {
		sum, n := 0.0, 0
		for i := range a {
			if e.ctx.Err() != nil {
				return 0, e.ctx.Err()
			}
			if !counts(a[i]) {
				continue
			}
			d, err := metric.MarginalDistance(a[i], b[i])
			if errors.Is(err, metric.ErrUnfit) {
				continue
			} else if err != nil {
				return 0, err
			}
			sum, n = sum+d, n+1
		}
		if n == 0 {
			return 0, fmt.Errorf("%w: there are no such columns", metric.ErrUnfit)
		}
		return sum / float64(n), nil
	}
}

// compareTables reports a distance of the tables with its interval and floor; not if the columns
// have none.
func (e *evaluation) compareTables(t *tables, m tableMetric) error {
	if e.ctx.Err() != nil {
		return e.ctx.Err()
	}
	e.doing.Set(m.Name)
	value, err := metric.TableInterval(e.ctx, t.samples, t.reference, m.of, e.bootstrap(), e.pool)
	if errors.Is(err, metric.ErrUnfit) {
		return nil
	} else if err != nil {
		return err
	}
	value.Low = max(0, value.Low) // of a distance; the interval is shifted
	floor, err := m.of(t.real, t.reference)
	if errors.Is(err, metric.ErrUnfit) {
		floor = math.NaN()
	} else if err != nil {
		return err
	}
	m.Group, m.Better = Table, Lower
	m.Note += fmt.Sprintf("; of %d samples against %d training rows; floor: %d held-out and %d "+
		"other training rows against the same", t.samples.Len(), t.reference.Len(),
		t.real.Len()-t.filled, t.filled)
	e.add(m.measured(value, floor))
	return nil
}

// reportColumns reports the distances of single columns.
func (e *evaluation) reportColumns(t *tables) error {
	distance := func(v, reference metric.Variable) (record.Number, error) {
		d, err := metric.MarginalDistance(v, reference)
		if errors.Is(err, metric.ErrUnfit) {
			return record.Number(math.NaN()), nil
		}
		return record.Number(d), err
	}
	none := record.Number(math.NaN())
	for i, c := range e.modelled() {
		known := len(knownOf(t.reference[i].Values))
		r := ColumnReport{
			Column: c.Name, Kind: c.Kind, Error: none, Simple: none,
			Missing: record.Number(1 - float64(known)/float64(t.reference.Len())),
		}
		var err error
		if r.Distance, err = distance(t.samples[i], t.reference[i]); err != nil {
			return err
		}
		if r.Floor, err = distance(t.real[i], t.reference[i]); err != nil {
			return err
		}
		e.report.Columns = append(e.report.Columns, r)
	}
	return nil
}

func knownOf(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// simple is what a column is filled in with that nothing is known of: the mean of the values, or
// the most frequent category; and the standard deviation of numbers.
func simple(v metric.Variable) (fill, deviation float64) {
	x := knownOf(v.Values)
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	if v.Categories == 0 {
		return stat.Mean(x, nil), stat.PopStdDev(x, nil)
	}
	counts := make([]int, v.Categories)
	for _, k := range x {
		counts[int(k)]++
	}
	return float64(slices.Index(counts, slices.Max(counts))), math.NaN()
}
