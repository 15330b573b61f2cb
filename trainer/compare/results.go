package compare

import (
	"slices"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// Results are the results of a comparison so far.
type Results struct {
	Plan    Plan
	Columns []Column
	Rows    []Row // of the contestants, in their order
	Runs    []Outcome
}

// Row is one contestant.
type Row struct {
	ContestantPlan
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

// collect reads the results so far from the comparison's directory.
func collect(dir string, plan Plan) (*Results, error) {
	r := &Results{Plan: plan}
	for _, t := range plan.tasks(dir) {
		o, metrics, err := t.read()
		if err != nil {
			return nil, err
		}
		r.Runs = append(r.Runs, o)
		r.columns(metrics)
	}
	r.aggregate()
	return r, nil
}

// columns adds the columns of a run's metrics.
func (r *Results) columns(metrics []evaluate.Metric) {
	if r.Columns == nil {
		r.Columns = slices.Clone(own)
	}
	for _, m := range metrics {
		i := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Key == m.Key })
		if i < 0 {
			i = len(r.Columns)
			r.Columns = append(r.Columns, Column{
				Key: m.Key, Name: m.Name, Group: m.Group, Unit: m.Unit, Better: m.Better,
				Note: m.Note,
			})
		}
		r.Columns[i].floors = append(r.Columns[i].floors, m.Floor)
	}
}

// aggregate computes the rows from the runs.
func (r *Results) aggregate() {
	for i := range r.Columns {
		if floor := spread(r.Columns[i].floors); floor.N > 0 {
			r.Columns[i].Floor = &floor.Mean
		}
	}
	for _, c := range r.Plan.Contestants {
		row := Row{ContestantPlan: c, Cells: make([]Cell, len(r.Columns))}
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

func (r *Results) waiting() (n int) {
	for _, row := range r.Rows {
		n += row.Waiting
	}
	return n
}
