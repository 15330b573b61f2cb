package figure

import (
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// household is two tables with columns of all kinds, one of 200 rows and one of 100.
func household() Tables {
	r := rand.New(rand.NewPCG(1, 2))
	towns := []string{"Hamburg", "Köln", "Berlin", "Frankfurt am Main", "Ulm", "Bonn", "Trier",
		"Mainz", "Kiel"}
	t := Tables{Names: [2]string{"data", "samples"}, Columns: []Column{
		{Name: "income (EUR/month)"}, {Name: "children", Scale: Integer},
		{Name: "moved in", Scale: Dates}, {Name: "town", Categories: towns},
		{Name: "a column with a name that is very much longer than its place"},
	}}
	for i, n := range []int{200, 100} {
		for row := range n {
			z := r.NormFloat64()
			for k, v := range []float64{
				math.Exp(7.5 + 0.8*z), float64(r.IntN(4)), 1.4e9 + 1e8*z, float64(r.IntN(9)), z,
			} {
				if k == 4 && row%4 == 0 {
					v = math.NaN()
				}
				t.Columns[k].Values[i] = append(t.Columns[k].Values[i], v)
			}
		}
	}
	return t
}

// Each picture is 1,200 pixels wide, with both colours all over it, and always the same.
func TestTables(t *testing.T) {
	h := household()
	matrices := Matrices{Things: []string{"a", "b"}, Names: h.Names,
		At: [2][]float64{{1, 0.5, 0.5, 1}, {1, -1, -1, 1}}}
	short := household()
	for i := range short.Columns {
		short.Columns[i].Values[0] = short.Columns[i].Values[0][:100]
	}
	for name, draw := range map[string]func() (image.Image, error){
		"marginals": h.Marginals, "pairs": h.Pairs, "associations": matrices.Draw,
		"agreement": short.Agreement,
	} {
		picture, err := draw()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if width := picture.Bounds().Dx(); width != 1200 {
			t.Errorf("%s: %d pixels wide", name, width)
		}
		first, n := coloured(picture, colours[0])
		second, m := coloured(picture, colours[1])
		if name == "agreement" { // of faint points in one colour, which is full where many meet
			n, m, second = 100*n, 100*n, first
		}
		if n < 100 || m < 100 || first.Dx() < 100 || second.Dx() < 100 {
			t.Errorf("%s: %d pixels in %v and %d in %v", name, n, first, m, second)
		}
		again, err := draw()
		if err != nil || !slices.Equal(again.(*image.RGBA).Pix, picture.(*image.RGBA).Pix) {
			t.Errorf("%s: drawn twice it differs, %v", name, err)
		}
	}
}

// Columns without known values are left out, and nothing but these is an error.
func TestNothingToDraw(t *testing.T) {
	empty := Column{Name: "none", Values: [2][]float64{{1}, {math.NaN()}}}
	one := Column{Name: "one", Values: [2][]float64{{1}, {2}}}
	for name, draw := range map[string]func() (image.Image, error){
		"marginals": Tables{Columns: []Column{empty}}.Marginals,
		"pairs":     Tables{Columns: []Column{empty, one}}.Pairs,
		"agreement": Tables{Columns: []Column{empty}}.Agreement,
		"matrices":  Matrices{}.Draw,
	} {
		if _, err := draw(); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Tables{Columns: []Column{empty, one}}).Marginals(); err != nil {
		t.Errorf("of a constant: %v", err)
	}
}

// Histograms have a bin for each integer of a short range, and the same number of them in each bin
// of a longer one; outliers do not squeeze the others.
func TestEdges(t *testing.T) {
	of := func(scale Scale, values ...float64) []float64 {
		return Column{Scale: scale, Values: [2][]float64{values, values[:1]}}.edges()
	}
	if got := of(Integer, 2, 3, 5); !slices.Equal(got, []float64{1.5, 2.5, 3.5, 4.5, 5.5}) {
		t.Errorf("integers: %v", got)
	}
	if got := of(Integer, 0, 99); got[0] != -0.5 || got[1] != 3.5 || got[len(got)-1] < 99 {
		t.Errorf("many integers: %v", got)
	}
	if got := of(Real, 0, 3); len(got) != mostBins+1 || got[0] != 0 || got[mostBins] != 3 {
		t.Errorf("numbers: %v", got)
	}
	if got := of(Real, 7, 7); got[0] >= 7 || got[len(got)-1] <= 7 {
		t.Errorf("a constant: %v", got)
	}
	var x []float64
	for i := range 1000 {
		x = append(x, float64(i))
	}
	if got := of(Real, append(x, 1e6)...); got[len(got)-1] > 1000 {
		t.Errorf("with an outlier: %v", got)
	}
}

// Shares are percentages, and what lies outside counts at the ends.
func TestShares(t *testing.T) {
	got := shares([]float64{0, 1, 2}, []float64{-5, 0.5, 1, 1.5, 9})
	if want := []float64{40, 60}; !slices.Equal(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
}

// The most frequent categories of the first table are on top, the others together.
func TestFrequent(t *testing.T) {
	c := Column{}
	for k := range 10 {
		c.Categories = append(c.Categories, fmt.Sprint("c", k))
		for range k {
			c.Values[0] = append(c.Values[0], float64(k))
		}
	}
	c.Values[1] = []float64{0, 9}
	names, heights := c.frequent()
	if got := strings.Join(names, " "); got != "c9 c8 c7 c6 c5 c4 c3 others" {
		t.Errorf("%s", got)
	}
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
	if !near(heights[0][0], 20) || !near(heights[0][7], 100*3./45) || heights[1][0] != 50 ||
		heights[1][7] != 50 {
		t.Errorf("%v", heights)
	}
}

// Labels of axes are short, and those of integers are integers.
func TestTableTicks(t *testing.T) {
	labels := func(c Column, low, high float64) (all []string) {
		for _, tick := range (ticks{column: c}).Ticks(low, high) {
			if tick.Label != "" {
				all = append(all, tick.Label)
			}
		}
		return all
	}
	for _, c := range []struct {
		column    Column
		low, high float64
		want      string
	}{
		{Column{}, 0, 0.00001, "0 5e-6 1e-5"},
		{Column{Scale: Integer}, -0.5, 3.5, "0 1 2 3"},
		{Column{Scale: Dates}, 0, 10 * 365.25 * 86400, "1971 1975 1978"},
		{Column{Scale: Dates}, 0, 20 * 86400, "1970-01-04 1970-01-11 1970-01-18"},
		{Column{Categories: []string{"a", "a long category"}}, -0.5, 1.5, "a  a long… "},
	} {
		if got := strings.Join(labels(c.column, c.low, c.high), " "); got != c.want {
			t.Errorf("%v to %v: %q, expected %q", c.low, c.high, got, c.want)
		}
	}
	for _, end := range []float64{1e-9, 0.3, 7, 12345, 1e7} {
		got := labels(Column{}, -end, end)
		if all := strings.Join(got, ""); len(got) < 2 || len(all) > 24 {
			t.Errorf("to %v: %q", end, got)
		}
	}
}
