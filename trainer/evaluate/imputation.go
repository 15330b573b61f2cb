package evaluate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/record"
)

// imputation hides cells of held-out rows at random, fills them in, and reports the errors.
func (e *evaluation) imputation() error {
	if !e.hasHeldOut("imputation") {
		return nil
	}
	rows := e.someHeldOut(e.Images)
	hidden := e.hide(rows)
	all := data.Both(data.MissingOf(rows), hidden)
	f := e.newFilled(rows, hidden)
	e.doing.Set(fmt.Sprintf("imputation of %d held-out rows", rows.Len()))
	model := query.New(e.generator, e.config, e.pool)
	_, err := model.Impute(e.ctx, query.Rows{
		Images: rows, Conditions: e.conditions(rows), Missing: all,
	}, query.Options{Seed: e.Seed, Progress: e.doing.At}, func(a query.Imputations) error {
		dim := e.generator.Dim()
		for i := range a.Missing {
			f.add(a.Lo+i, a.Mean[i*dim:(i+1)*dim], a.Std[i*dim:(i+1)*dim])
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.report()
}

// hide chooses known cells of rows to hide, each with the same probability.
func (e *evaluation) hide(rows data.Dataset) *data.Missing {
	dim, offsets := e.generator.Dim(), e.schema.Offsets()
	hidden := &data.Missing{D: dim, At: make([]bool, rows.Len()*dim)}
	known := data.MissingOf(rows)
	u := make([]float32, rows.Len()*len(offsets))
	kernel.Uniform(u, kernel.Key{
		Seed: e.Seed, Step: math.MaxUint32 - 1, Stream: metric.StreamMetric,
	}, 0)
	for i := range rows.Len() {
		for c, at := range offsets {
			if at < 0 || float64(u[i*len(offsets)+c]) > e.Hide || known != nil && known.Row(i)[at] {
				continue
			}
			for j := range e.schema.Columns[c].Width() {
				hidden.At[i*dim+at+j] = true
			}
		}
	}
	return hidden
}

// filled compares hidden cells with what they are filled in with.
type filled struct {
	*evaluation
	rows    data.Dataset
	hidden  *data.Missing
	columns []*columns.Column
	offsets []int // of the columns
	fill    []float64
	scale   []float64 // standard deviations of numbers
	encoded []float32 // scratch: a row, and
	truth   []float64 // its cells

	squares, simple []tallied // of each column: squared errors, or wrong categories
	perRow          map[string][]float64
}

// tallied is a sum of so many numbers.
type tallied struct {
	sum float64
	n   int
}

func (t *tallied) add(v float64) { t.sum, t.n = t.sum+v, t.n+1 }

// The numbers of a row that filled keeps, in their means over its hidden cells.
const (
	squareKey, simpleSquareKey = "square", "simple square"
	rightKey, simpleRightKey   = "right", "simple right"
	halfKey, mostKey           = "half", "most"
)

func (e *evaluation) newFilled(rows data.Dataset, hidden *data.Missing) *filled {
	f := &filled{
		evaluation: e, rows: rows, hidden: hidden, columns: e.modelled(),
		encoded: make([]float32, e.generator.Dim()), truth: make([]float64, len(e.schema.Columns)),
		perRow: map[string][]float64{},
	}
	train := data.Decoded(e.own.Train, data.Range(0, e.own.Train.Len()))
	for _, v := range e.variables(train) {
		fill, scale := simple(v)
		f.fill, f.scale = append(f.fill, fill), append(f.scale, scale)
	}
	for _, at := range e.schema.Offsets() {
		if at >= 0 {
			f.offsets = append(f.offsets, at)
		}
	}
	f.squares, f.simple = make([]tallied, len(f.columns)), make([]tallied, len(f.columns))
	return f
}

// add compares the hidden cells of row i with the mean of what the model fills in, and counts the
// numbers within its intervals.
func (f *filled) add(i int, mean, std []float32) {
	f.rows.Gather(f.encoded, []int{i})
	truth, guess := f.cells(f.encoded), f.cells(mean)
	of := map[string]*tallied{}
	count := func(key string, v float64) {
		if of[key] == nil {
			of[key] = &tallied{}
		}
		of[key].add(v)
	}
	hidden := f.hidden.Row(i)
	for c, column := range f.columns {
		at := f.offsets[c]
		if !hidden[at] || math.IsNaN(f.fill[c]) {
			continue
		}
		if column.Kind == columns.Boolean || column.Kind == columns.Categorical {
			right, simple := truthOf(guess[c] == truth[c]), truthOf(f.fill[c] == truth[c])
			f.squares[c].add(1 - right)
			f.simple[c].add(1 - simple)
			count(rightKey, right)
			count(simpleRightKey, simple)
			continue
		}
		square := math.Pow((guess[c]-truth[c])/f.scale[c], 2)
		simple := math.Pow((f.fill[c]-truth[c])/f.scale[c], 2)
		f.squares[c].add(square)
		f.simple[c].add(simple)
		count(squareKey, square)
		count(simpleSquareKey, simple)
		off := math.Abs(float64(f.encoded[at])-float64(mean[at])) / float64(std[at])
		count(halfKey, truthOf(off <= half))
		count(mostKey, truthOf(off <= most))
	}
	for key, t := range of {
		f.perRow[key] = append(f.perRow[key], t.sum/float64(t.n))
	}
}

// half and most are how many standard deviations from its mean a normal number is with
// probabilities of 50 and 95 %.
var half, most = distuv.UnitNormal.Quantile(0.75), distuv.UnitNormal.Quantile(0.975)

func truthOf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// cells are the values of the modelled columns of an encoded row.
func (f *filled) cells(x []float32) (values []float64) {
	f.schema.Decode(f.truth, x)
	for c := range f.schema.Columns {
		if f.schema.Columns[c].Kind.Modelled() {
			values = append(values, f.truth[c])
		}
	}
	return values
}

// report reports the errors of the columns, and the means over the rows.
func (f *filled) report() error {
	for c, column := range f.columns {
		r := &f.evaluation.report.Columns[c]
		if r.Hidden = f.squares[c].n; r.Hidden == 0 {
			continue
		}
		n := float64(r.Hidden)
		r.Error, r.Simple = record.Number(f.squares[c].sum/n), record.Number(f.simple[c].sum/n)
		if column.Kind != columns.Boolean && column.Kind != columns.Categorical {
			r.Error = record.Number(math.Sqrt(float64(r.Error)))
			r.Simple = record.Number(math.Sqrt(float64(r.Simple)))
		}
	}
	about := fmt.Sprintf("of %d held-out rows with %.3g %% of their known cells hidden",
		f.rows.Len(), 100*f.Hide)
	for _, m := range rowMetrics {
		switch m.key {
		case squareKey, rightKey:
			m.Note += about
		}
		if err := f.addMean(m.Metric, f.perRow[m.key], m.root); err != nil {
			return err
		}
	}
	return nil
}

// rowMetrics are the means over the rows that are reported, or their roots.
var rowMetrics = []struct {
	Metric
	key  string
	root bool
}{
	{Metric{
		Name: "imputation RMSE", Key: "impute_rmse", Unit: "std", Better: Lower,
		Note: "numbers filled in, in standard deviations of their column, ",
	}, squareKey, true},
	{Metric{
		Name: "RMSE of column means", Key: "impute_rmse_simple", Unit: "std",
		Note: "the same cells filled in with the training rows' means",
	}, simpleSquareKey, true},
	{Metric{
		Name: "imputation accuracy", Key: "impute_accuracy", Better: Higher,
		Note: "share of categories and truth values filled in rightly, ",
	}, rightKey, false},
	{Metric{
		Name: "accuracy of the most frequent", Key: "impute_accuracy_simple",
		Note: "the same cells filled in with the training rows' most frequent category",
	}, simpleRightKey, false},
	{Metric{
		Name: "50 % intervals", Key: "impute_coverage_50",
		Note: "share of hidden numbers within 0.67 standard deviations of the model around " +
			"its mean: 0.5 if it is calibrated and they are normal",
	}, halfKey, false},
	{Metric{
		Name: "95 % intervals", Key: "impute_coverage_95",
		Note: "within 1.96 of them: 0.95 if it is calibrated and they are normal",
	}, mostKey, false},
}

// addMean reports the mean of a number over the rows that have it, or its root.
func (f *filled) addMean(m Metric, values []float64, root bool) error {
	if len(values) == 0 {
		return nil
	}
	value, err := metric.MeanInterval(values, f.bootstrap(), f.pool)
	if err != nil {
		return err
	}
	if root {
		value = metric.Estimate{
			Value: math.Sqrt(value.Value), Low: math.Sqrt(value.Low), High: math.Sqrt(value.High),
		}
	}
	m.Group = Table
	f.evaluation.add(m.measured(value, math.NaN()))
	return nil
}
