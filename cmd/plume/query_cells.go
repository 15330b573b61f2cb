package main

import (
	"math"
	"strconv"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/table"
)

// onTable reports whether the run was trained on a table.
func (q *queryCommand) onTable() bool { return q.stored.Schema() != nil }

// modelled are the numbers of the columns that the model knows.
func modelled(s *columns.Schema) (of []int) {
	for i := range s.Columns {
		if s.Columns[i].Kind.Modelled() {
			of = append(of, i)
		}
	}
	return of
}

// unsure are the columns that tell how sure cells are: name_std of numbers and dates, and name_p of
// the others, the probability of the cell.
type unsure struct {
	schema *columns.Schema
	of     []int
}

func (u unsure) columns() (all []table.Column) {
	for _, c := range u.of {
		name := u.schema.Columns[c].Name + "_std"
		switch u.schema.Columns[c].Kind {
		case columns.Boolean, columns.Categorical:
			name = u.schema.Columns[c].Name + "_p"
		}
		all = append(all, table.Column{Name: name, Kind: table.Number})
	}
	return all
}

// sureDigits is how many significant digits standard deviations and probabilities have.
const sureDigits = 5

// blocks are those of rows with encoded means and standard deviations. skip tells of which cells
// nothing is told.
func (u unsure) blocks(mean, std []float32, skip func(row, column int) bool) (blocks []any) {
	d := u.schema.Width()
	n := len(mean) / d
	values := make([][]float64, len(u.of))
	row := make([]float64, len(u.schema.Columns))
	for i := range n {
		u.schema.Uncertainty(row, mean[i*d:(i+1)*d], std[i*d:(i+1)*d])
		for k, c := range u.of {
			v := roundTo(row[c], sureDigits)
			if skip(i, c) {
				v = math.NaN()
			}
			values[k] = append(values[k], v)
		}
	}
	for _, v := range values {
		blocks = append(blocks, v)
	}
	return blocks
}

// roundTo rounds to a number of significant digits.
func roundTo(v float64, digits int) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// decodedColumns are the means of the columns that the model knows, and how sure they are.
type decodedColumns struct {
	schema *columns.Schema
	cells  table.Cells
	unsure unsure
}

func newDecoded(path string, s *columns.Schema) decodedColumns {
	of := modelled(s)
	return decodedColumns{s, table.NewCells(path, s, of), unsure{s, of}}
}

func (d decodedColumns) columns() []table.Column {
	return append(d.cells.Columns(), d.unsure.columns()...)
}

func (d decodedColumns) blocks(mean, std []float32) []any {
	t := d.schema.Decoded(mean, nil)
	never := func(int, int) bool { return false }
	return append(d.cells.Blocks(t, data.Range(0, t.M)), d.unsure.blocks(mean, std, never)...)
}
