package columns

import (
	"math"
	"testing"
)

// A table that is encoded and decoded has the same cells, where they are modelled and known.
func TestDecoded(t *testing.T) {
	s, nan := sample(), math.NaN()
	table := &Table{Schema: s, M: 2, Texts: make([][]string, 10), Values: [][]float64{
		nil, {1.25, nan}, {7, 0}, {1, nan}, {2, nan}, {86400 * 365, 0}, {0.125, 2.5}, {0, 0}, nil,
		{1, 0},
	}}
	got := s.Decoded(table.Encode())
	for c, column := range s.Columns {
		for i := range 2 {
			want := table.Text(i, c)
			if column.Kind == Label {
				want = ""
			}
			if text := got.Text(i, c); text != want {
				t.Errorf("column %s, row %d: %q, want %q", column.Name, i, text, want)
			}
		}
	}
	x, _ := table.Encode()
	if got := s.Decoded(x, nil); math.IsNaN(got.Values[1][1]) {
		t.Error("a cell is missing, although nothing is said to be")
	}
}
