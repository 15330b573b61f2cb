package table

import (
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data/columns"
)

// Cells writes rows of a table that a schema describes, as its source has them: in CSV each cell is
// the text that the schema gives it, and in other formats it has the type of its column.
type Cells struct {
	schema *columns.Schema
	of     []int // the columns of the schema
	text   bool
}

// NewCells writes the given columns of the schema, by their numbers, to the format of the path.
func NewCells(path string, s *columns.Schema, of []int) Cells {
	return Cells{schema: s, of: of, text: isCSV(path)}
}

func isCSV(path string) bool { return path == stdoutPath || filepath.Ext(path) == ".csv" }

// CSVOf is how the source of a schema was written, if that was a CSV file.
func CSVOf(s *columns.Schema) CSV { return CSV{Delimiter: s.Delimiter, NoHeader: !s.Header} }

// AreTexts reports whether cells are written as texts.
func (c Cells) AreTexts() bool { return c.text }

// Columns are the columns to be written.
func (c Cells) Columns() (all []Column) {
	for _, k := range c.of {
		all = append(all, Column{Name: c.schema.Columns[k].Name, Kind: c.kind(k)})
	}
	return all
}

// kind is how column k of the schema is written.
func (c Cells) kind(k int) Kind {
	column := &c.schema.Columns[k]
	if c.text {
		return Text
	}
	switch column.Kind {
	case columns.Numeric:
		return Number
	case columns.Integer:
		return Whole
	case columns.Boolean:
		return Truth
	case columns.Date:
		if column.Days() {
			return Day
		}
		return Time
	}
	return Text
}

// Blocks are rows of a table of the schema, one block for each column.
func (c Cells) Blocks(t *columns.Table, rows []int) (blocks []any) {
	for _, k := range c.of {
		if c.kind(k) == Text {
			texts := make([]string, len(rows))
			for i, row := range rows {
				if t.Known(row, k) || c.text {
					texts[i] = t.Text(row, k)
				}
			}
			blocks = append(blocks, texts)
			continue
		}
		values := make([]float64, len(rows))
		for i, row := range rows {
			values[i] = t.Values[k][row]
		}
		blocks = append(blocks, values)
	}
	return blocks
}
