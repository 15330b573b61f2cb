package main

import (
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

// blocks are those of rows whose cells are as sure as all says, by the column of the schema.
func (u unsure) blocks(all [][]float64) (blocks []any) {
	for _, c := range u.of {
		for i, v := range all[c] {
			all[c][i] = roundTo(v, sureDigits)
		}
		blocks = append(blocks, all[c])
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
	sure := d.unsure.blocks(d.schema.Uncertainties(mean, std))
	return append(d.cells.Blocks(t, data.Range(0, t.M)), sure...)
}
