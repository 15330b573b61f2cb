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

// Uncertainties are those of the rows one by one, by column.
func TestUncertainties(t *testing.T) {
	s := sample()
	d := s.Width()
	mean, std := make([]float32, 2*d), make([]float32, 2*d)
	for i := range mean {
		mean[i], std[i] = float32(i%5)/5, float32(i%3)/4
	}
	all, want := s.Uncertainties(mean, std), make([]float64, len(s.Columns))
	for i := range 2 {
		s.Uncertainty(want, mean[i*d:(i+1)*d], std[i*d:(i+1)*d])
		for c, v := range want {
			if got := all[c][i]; got != v && !(math.IsNaN(got) && math.IsNaN(v)) {
				t.Errorf("row %d, column %d: %v, want %v", i, c, got, v)
			}
		}
	}
}

// Labels are set by the names of their categories; others are missing cells.
func TestSetLabels(t *testing.T) {
	s := &Schema{Columns: []Column{
		{Name: "n", Kind: Numeric, Scale: 1},
		{Name: "class", Kind: Label, Categories: []string{"cat", "dog"}},
	}}
	table := s.Decoded([]float32{1, 2, 3}, nil)
	table.SetLabels([]string{"dog", "", "cat"})
	for i, want := range []string{"dog", "", "cat"} {
		if got := table.Text(i, 1); got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
	if table.Values[0][1] != 2 {
		t.Error("a column of numbers has changed")
	}
}
