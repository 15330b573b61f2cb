package columns

import (
	"math"
	"slices"
	"testing"
)

// sample is a complete schema with a column of each kind, as Read would make it.
func sample() *Schema {
	s := &Schema{
		Header: true, Delimiter: ",", Missing: []string{"NA"},
		Columns: []Column{
			{Name: "id", Kind: Text},
			{Name: "height", Kind: Numeric, MinDecimals: 1, MaxDecimals: 2},
			{Name: "floor", Kind: Integer, Transform: Log},
			{Name: "sold", Kind: Boolean, False: "no", True: "yes", MissingText: "NA"},
			{Name: "colour", Kind: Categorical, Categories: []string{"blue", "green", "red"}},
			{Name: "when", Kind: Date, Format: "%d.%m.%Y"},
			{Name: "weight", Kind: Numeric, MaxDecimals: 3, Transform: Rank, DecimalComma: true},
			{Name: "unit", Kind: Constant, Value: "kg"},
			{Name: "note", Kind: Empty},
			{Name: "class", Kind: Label, Categories: []string{"a", "b"}},
		},
	}
	columns := [][]float64{
		nil, {1.25, 2, -3.5}, {0, 1, 7}, nil, nil, {0, 86400 * 365, 86400 * 20000}, {0.125, 2, 5},
	}
	for i, values := range columns {
		if values != nil {
			s.Columns[i].fit(values)
		}
	}
	return s
}

func TestLayoutOfARow(t *testing.T) {
	s := sample()
	if got := s.Width(); got != 8 {
		t.Errorf("width %d", got)
	}
	want := "normal:2,bernoulli,categorical:3,normal:2"
	if got := s.Likelihood(); got != want {
		t.Errorf("likelihood %s, want %s", got, want)
	}
	names := []string{
		"height", "floor", "sold", "colour=blue", "colour=green", "colour=red", "when", "weight",
	}
	if got := s.EncodedNames(); !slices.Equal(got, names) {
		t.Errorf("names %v", got)
	}
	if got := s.Offsets(); !slices.Equal(got, []int{-1, 0, 1, 2, 3, 6, 7, -1, -1, -1}) {
		t.Errorf("offsets %v", got)
	}
}

func TestEncodeAndDecode(t *testing.T) {
	s := sample()
	nan := math.NaN()
	for _, test := range []struct {
		row  []float64
		text []string
	}{
		{
			[]float64{nan, 1.25, 7, 1, 2, 86400 * 365, 0.125, 0, nan, nan},
			[]string{"", "1.25", "7", "yes", "red", "01.01.1971", "0,125", "kg", "", ""},
		},
		{
			[]float64{nan, -3.5, 0, 0, 0, 86400 * 20000, 2.5, 0, nan, nan},
			[]string{"", "-3.5", "0", "no", "blue", "04.10.2024", "2,5", "kg", "", ""},
		},
		{
			[]float64{nan, 2, 3, 0, 1, 0, 5, 0, nan, nan},
			[]string{"", "2.0", "3", "no", "green", "01.01.1970", "5", "kg", "", ""},
		},
	} {
		x, gaps := make([]float32, s.Width()), make([]bool, s.Width())
		if s.Encode(x, gaps, test.row) {
			t.Errorf("%v: missing %v", test.row, gaps)
		}
		got := make([]float64, len(s.Columns))
		s.Decode(got, x)
		for c, v := range got {
			if v != test.row[c] && !(math.IsNaN(v) && math.IsNaN(test.row[c])) {
				t.Errorf("column %s: %v decoded from %v", s.Columns[c].Name, v, test.row[c])
			}
			if text := s.Format(c, v); text != test.text[c] {
				t.Errorf("column %s: %q, want %q", s.Columns[c].Name, text, test.text[c])
			}
		}
	}
}

// The first three columns of numbers of sample have, by hand: means -1/12, mean log 1 to 8.
func TestStandardised(t *testing.T) {
	s := sample()
	height, floor := s.Columns[1], s.Columns[2]
	mean := (1.25 + 2 - 3.5) / 3
	std := math.Sqrt(((1.25-mean)*(1.25-mean) + (2-mean)*(2-mean) + (3.5+mean)*(3.5+mean)) / 3)
	if math.Abs(height.Mean-mean) > 1e-15 || math.Abs(height.Scale-std) > 1e-15 {
		t.Errorf("mean %v, scale %v; want %v, %v", height.Mean, height.Scale, mean, std)
	}
	if want := math.Log(16) / 3; floor.Shift != 1 || math.Abs(floor.Mean-want) > 1e-15 {
		t.Errorf("shift %v, mean %v; want 1, %v", floor.Shift, floor.Mean, want)
	}
}

// Of numbers above 0, Log is the logarithm.
func TestLogOfPositiveNumbers(t *testing.T) {
	c := Column{Kind: Numeric, Transform: Log}
	c.fit([]float64{math.E, 1, math.E * math.E})
	if math.Abs(c.Mean-1) > 1e-15 || math.Abs(c.transform(10)-math.Log(10)) > 1e-15 {
		t.Errorf("mean %v, log 10 = %v", c.Mean, c.transform(10))
	}
}

// Decoded numbers stay within the range, and have the decimals, of the source.
func TestCleanNumbers(t *testing.T) {
	for _, test := range []struct {
		c       Column
		v, want float64
	}{
		{Column{Kind: Numeric, Min: -2, Max: 5, MaxDecimals: 1}, 1.26, 1.3},
		{Column{Kind: Numeric, Min: -2, Max: 5, MaxDecimals: 1}, 7, 5},
		{Column{Kind: Numeric, Min: -2, Max: 5, MaxDecimals: 1}, -2.01, -2},
		{Column{Kind: Numeric, Min: -2, Max: 5, MaxDecimals: 9}, 1.23456789, 1.234568},
		{Column{Kind: Integer, Min: 0, Max: 9}, 3.5, 4},
		{Column{Kind: Date, Min: 0, Max: 1e9, Format: "%Y-%m-%d"}, 86400 * 1.6, 86400 * 2},
		{Column{Kind: Date, Min: 0, Max: 1e9, Format: "%Y-%m-%d %H:%M"}, 89, 60},
	} {
		if got := test.c.Clean(test.v); got != test.want {
			t.Errorf("%v became %v, want %v", test.v, got, test.want)
		}
	}
}

func TestMissingCells(t *testing.T) {
	s := sample()
	row := make([]float64, len(s.Columns))
	for c := range row {
		row[c] = math.NaN()
	}
	x, gaps := make([]float32, s.Width()), make([]bool, s.Width())
	if !s.Encode(x, gaps, row) || slices.Contains(gaps, false) || slices.Max(x) != 0 {
		t.Errorf("%v, missing %v", x, gaps)
	}
	if got := s.Format(3, math.NaN()); got != "NA" {
		t.Errorf("a missing cell is %q", got)
	}
}
