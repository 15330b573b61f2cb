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

// The deviation of a number is in its unit, of a date in days; categories have their probability.
func TestUncertainty(t *testing.T) {
	s := sample()
	got := make([]float64, len(s.Columns))
	mean := []float32{0.5, 0, 0.25, 0.1, 0.7, 0.2, 1, 0}
	std := []float32{2, 0, 0.1, 0.1, 0.1, 0.1, 0.5, 0}
	s.Uncertainty(got, mean, std)
	nan := math.NaN()
	want := []float64{
		nan, 2 * s.Columns[1].Scale, 0, 0.75, 0.7, 0.5 * s.Columns[5].Scale / 86400, 0, nan, nan,
		nan,
	}
	for c, v := range got {
		// The means are of single precision.
		if math.Abs(v-want[c]) > 1e-6*math.Abs(want[c]) || math.IsNaN(v) != math.IsNaN(want[c]) {
			t.Errorf("column %s: %v, want %v", s.Columns[c].Name, v, want[c])
		}
	}
	std[1] = 0.25 // of column floor, whose transform is log: e^t + min - shift
	s.Uncertainty(got, mean, std)
	c := s.Columns[2]
	floor := math.Exp(c.Mean) * math.Sinh(0.25*c.Scale)
	if math.Abs(got[2]-floor) > 1e-6*floor {
		t.Errorf("column floor: %v, want %v", got[2], floor)
	}
}
