package compare

import (
	"slices"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// Keys of the quantities that the training itself reports.
const (
	keyEpochs      = "epochs"
	keySteps       = "steps"
	keySeconds     = "train_seconds"
	keyEvaluations = "network_evaluations"
	keyTrainMSE    = "train_recon_mse"
	keyTrainFD     = "train_pca64_fd"
)

// Column is one quantity of the table.
type Column struct {
	Key    string `json:"key"`
	Name   string `json:"name"`
	Unit   string `json:"unit,omitempty"`
	Better string `json:"better,omitempty"` // as in evaluate.Metric
	Note   string `json:"note,omitempty"`

	// Floor is the mean over the runs of what real images reach.
	Floor *record.Number `json:"floor,omitempty"`

	Group string `json:"group"` // of package evaluate, or one of those below

	floors []record.Number
}

// Groups of columns beside those of package evaluate: what was spent, and what the training reports.
const (
	groupCost  = "cost"
	groupTrain = "training"
)

// own are the columns that every table has.
var own = []Column{
	{Key: keyEpochs, Name: "epochs", Group: groupCost},
	{Key: keySteps, Name: "steps", Group: groupCost, Note: "parameter steps"},
	{Key: keySeconds, Name: "seconds", Group: groupCost, Note: "spent in training steps, as measured"},
	{Key: keyEvaluations, Name: "evaluations", Group: groupCost, Note: "passes of a row, forward and back, through one network"},
	{Key: keyTrainMSE, Name: "train MSE", Group: groupTrain, Better: evaluate.Lower,
		Note: "reconstruction of training images by the latents as they are trained, mean over the last epoch"},
	{Key: keyTrainFD, Name: "train PCA-64 FD", Group: groupTrain, Better: evaluate.Lower, Note: "of the last report of the training"},
}

// sections are the tables, by the groups of their columns.
var sections = [][]string{
	{groupCost},
	{groupTrain, evaluate.PCA, evaluate.Classifier, evaluate.Sliced},
	{evaluate.Precision, evaluate.Memorisation},
	{evaluate.Reconstruction, evaluate.Likelihood},
}

func (c Column) cost() bool { return c.Group == groupCost }

// columns adds those of a run's metrics.
func (r *Results) columns(metrics []evaluate.Metric) {
	if r.Columns == nil {
		r.Columns = slices.Clone(own)
	}
	for _, m := range metrics {
		i := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Key == m.Key })
		if i < 0 {
			i = len(r.Columns)
			r.Columns = append(r.Columns, Column{Key: m.Key, Name: m.Name, Group: m.Group, Unit: m.Unit, Better: m.Better, Note: m.Note})
		}
		r.Columns[i].floors = append(r.Columns[i].floors, m.Floor)
	}
}

// aggregate fills the rows from the runs.
func (r *Results) aggregate() {
	for i := range r.Columns {
		if floor := spread(r.Columns[i].floors); floor.N > 0 {
			r.Columns[i].Floor = &floor.Mean
		}
	}
	for _, c := range r.Plan.Contestants {
		row := Row{Planning: c, Cells: make([]Cell, len(r.Columns))}
		values := make([][]record.Number, len(r.Columns))
		for _, run := range r.Runs {
			if run.Contestant != c.Name {
				continue
			}
			row.count(run)
			for i, column := range r.Columns {
				if v, ok := run.Values[column.Key]; ok {
					values[i] = append(values[i], v)
				}
			}
		}
		for i := range values {
			row.Cells[i] = spread(values[i])
		}
		r.Rows = append(r.Rows, row)
	}
	for i, column := range r.Columns {
		cells := make([]*Cell, len(r.Rows))
		for j := range r.Rows {
			cells[j] = &r.Rows[j].Cells[i]
		}
		rank(cells, column.Better)
	}
}

// Results is a comparison as far as it is known.
type Results struct {
	Plan    Plan
	Columns []Column
	Rows    []Row // of the contestants, in their order
	Runs    []Outcome
}

// Row is one contestant.
type Row struct {
	Planning
	Done, Diverged, Waiting int // runs
	Cells                   []Cell
}

func (r *Row) count(o Outcome) {
	switch {
	case o.Diverged:
		r.Diverged++
	case o.Done:
		r.Done++
	default:
		r.Waiting++
	}
}
