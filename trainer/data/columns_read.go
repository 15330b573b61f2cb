package data

import (
	"encoding/binary"
	"errors"
	"hash"
	"math"

	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/memory"
)

// newTableArray returns the rows of a table, encoded.
func newTableArray(table *columns.Table) *array {
	a := &array{
		m: table.M, shape: Shape{1, table.Schema.Width(), 1}, cells: table,
		stored: stored{ends: floatEnds}, // nothing is mapped
	}
	a.f32, a.missing = table.Encode()
	for i := range table.Schema.Columns {
		c := &table.Schema.Columns[i]
		if c.Kind != columns.Label {
			continue
		}
		a.classes, a.labels = c.Categories, make([]int32, a.m)
		for row, v := range table.Values[i] {
			a.labels[row] = -1
			if !math.IsNaN(v) {
				a.labels[row] = int32(v)
			}
		}
	}
	return a
}

// TableOf returns the table whose rows those of ds are: row i of ds is row Origin(i).Row of it. nil
// if ds is not of the kind Columns.
func TableOf(ds Dataset) *columns.Table {
	switch ds := ds.(type) {
	case *array:
		return ds.cells
	case *subset:
		return TableOf(ds.Dataset)
	}
	return nil
}

// SchemaOf returns the schema of the table whose rows those of ds are; nil if ds is not of the kind
// Columns.
func SchemaOf(ds Dataset) *columns.Schema {
	if t := TableOf(ds); t != nil {
		return t.Schema
	}
	return nil
}

// Decoded returns rows idx of ds, which must be of the kind Columns, as cells.
func Decoded(ds Dataset, idx []int) *columns.Table {
	x := make([]float32, len(idx)*ds.Shape().Dim())
	ds.Gather(x, idx)
	var gaps []bool
	if missing := MissingOf(ds); missing != nil {
		gaps = make([]bool, len(x))
		missing.Gather(gaps, idx)
	}
	return SchemaOf(ds).Decoded(x, gaps)
}

// IsLabelColumn reports whether ds is of a table whose column of that name holds the labels.
func IsLabelColumn(ds Dataset, name string) bool {
	s := SchemaOf(ds)
	if s == nil {
		return false
	}
	i := s.Column(name)
	return i >= 0 && s.Columns[i].Kind == columns.Label
}

// tableBytes is the memory of a table's cells.
func tableBytes(t *columns.Table) (bytes int64) {
	if t == nil {
		return 0
	}
	for i := range t.Values {
		bytes += memory.Array[float64](len(t.Values[i])) + memory.Array[string](len(t.Texts[i]))
		for _, text := range t.Texts[i] {
			bytes += int64(len(text))
		}
	}
	return bytes
}

// missingCells is how many cells are missing of the columns that are modelled.
func missingCells(t *columns.Table) (n int) {
	for i := range t.Schema.Columns {
		if t.Schema.Columns[i].Kind.Modelled() {
			n += t.Missing(i)
		}
	}
	return n
}

// hashNames adds the columns that are modelled to a hash, by their names and kinds.
func hashNames(h hash.Hash, s *columns.Schema) {
	for i := range s.Columns {
		if c := &s.Columns[i]; c.Kind.Modelled() {
			for _, text := range append([]string{c.Name, string(c.Kind)}, c.Categories...) {
				h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
				h.Write([]byte(text))
			}
		}
	}
}

// appendCells appends the cells of a row that are modelled. A missing one is any NaN.
func appendCells(row []byte, t *columns.Table, i int) []byte {
	for c := range t.Schema.Columns {
		if t.Schema.Columns[c].Kind.Modelled() {
			v := t.Values[c][i]
			if math.IsNaN(v) {
				v = math.NaN()
			}
			row = binary.LittleEndian.AppendUint64(row, math.Float64bits(v))
		}
	}
	return row
}

// checkLabels refuses a table with two columns of labels.
func checkLabels(s *columns.Schema) error {
	labels := 0
	for i := range s.Columns {
		if s.Columns[i].Kind == columns.Label {
			labels++
		}
	}
	if labels > 1 {
		return errors.New("has several columns of kind \"label\"; expected one at most")
	}
	return nil
}
