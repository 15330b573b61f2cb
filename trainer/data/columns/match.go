package columns

import (
	"fmt"
	"slices"
)

// matched is a source with the columns of a schema.
type matched struct {
	Source
	columns []Column
	from    []int // the column of Source; -1: none, and all cells are missing
	cells   []string
}

// Match returns src with the columns of a schema, in its order: they are found by their names. Of
// columns that the source has not all cells are missing; absent are those of them that are
// modelled. extra are columns of the source that are none of the schema's. A source of no column
// that is modelled is an error.
func Match(src Source, schema *Schema) (as Source, absent, extra []string, err error) {
	m := &matched{Source: src, cells: make([]string, len(schema.Columns))}
	theirs := src.Columns()
	common := 0
	for i := range schema.Columns {
		c := &schema.Columns[i]
		from := slices.IndexFunc(theirs, func(t Column) bool { return t.Name == c.Name })
		m.from = append(m.from, from)
		if from < 0 {
			m.columns = append(m.columns, Column{Name: c.Name})
			if c.Kind.Modelled() {
				absent = append(absent, c.Name)
			}
			continue
		}
		m.columns = append(m.columns, theirs[from])
		if c.Kind.Modelled() {
			common++
		}
	}
	for _, t := range theirs {
		if schema.Column(t.Name) < 0 {
			extra = append(extra, t.Name)
		}
	}
	if common == 0 {
		return nil, nil, nil, fmt.Errorf("has none of the columns that are modelled: %s; expected "+
			"some of %s", listed(columnNames(theirs)), listed(schema.modelled()))
	}
	return m, absent, extra, nil
}

// modelled returns the names of the columns that are modelled.
func (s *Schema) modelled() (names []string) {
	for i := range s.Columns {
		if s.Columns[i].Kind.Modelled() {
			names = append(names, s.Columns[i].Name)
		}
	}
	return names
}

// Names returns the names of the columns of a source.
func Names(src Source) []string { return columnNames(src.Columns()) }

func columnNames(columns []Column) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// Columns implements Source.
func (m *matched) Columns() []Column { return m.columns }

// Next implements Source.
func (m *matched) Next() ([]string, error) {
	cells, err := m.Source.Next()
	if err != nil {
		return nil, err
	}
	for i, from := range m.from {
		m.cells[i] = ""
		if from >= 0 {
			m.cells[i] = cells[from]
		}
	}
	return m.cells, nil
}
