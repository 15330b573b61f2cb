package picture

import (
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/figure"
)

// Tables returns the modelled columns of two tables of one schema, to be drawn: in their units,
// truth values as categories.
func Tables(names [2]string, a, b *columns.Table) figure.Tables {
	out := figure.Tables{Names: names}
	for c := range a.Schema.Columns {
		of := &a.Schema.Columns[c]
		if !of.Kind.Modelled() {
			continue
		}
		column := figure.Column{Name: of.Name, Values: [2][]float64{a.Values[c], b.Values[c]}}
		if of.Unit != "" {
			column.Name += " (" + of.Unit + ")"
		}
		switch of.Kind {
		case columns.Integer:
			column.Scale = figure.Integer
		case columns.Date:
			column.Scale = figure.Dates
		case columns.Boolean:
			column.Categories = []string{of.False, of.True}
		case columns.Categorical:
			column.Categories = of.Categories
		}
		out.Columns = append(out.Columns, column)
	}
	return out
}
