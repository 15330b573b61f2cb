package data_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
)

// at is what is missing, in numbers.
func at(m *data.Missing) (places []int) {
	for i := range m.Len() {
		for j, missing := range m.Row(i) {
			if missing {
				places = append(places, i*m.D+j)
			}
		}
	}
	return places
}

// NaN is a missing value where that is asked for, of a part of the rows, too; the value there is 0.
// Without, it is an error. Infinities always are.
func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holes.npy")
	nan := float32(math.NaN())
	x := []float32{1, nan, 0, 0.5, -1, -1, -1, -1, 0, 0, nan, nan}
	if err := npy.WriteFile(path, x, 3, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open(t.Context(), path, data.Options{}); err == nil ||
		!strings.Contains(err.Error(), "NaN at row 0, column 1") {
		t.Errorf("without: %v", err)
	}
	ds, err := data.Open(t.Context(), path, data.Options{Missing: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(data.MissingOf(ds)); !slices.Equal(got, []int{1, 10, 11}) {
		t.Errorf("missing: %v", got)
	}
	rows := make([]float32, 12)
	ds.Gather(rows, []int{0, 1, 2})
	if !slices.Equal(rows, []float32{1, 0, 0, 0.5, -1, -1, -1, -1, 0, 0, 0, 0}) {
		t.Errorf("values: %v", rows)
	}
	part := data.MissingOf(data.Subset(ds, []int{2, 0}))
	if got := at(part); !slices.Equal(got, []int{2, 3, 5}) {
		t.Errorf("missing of a part: %v", got)
	}
	gathered := make([]bool, 4)
	part.Gather(gathered, []int{1})
	if !slices.Equal(gathered, []bool{false, true, false, false}) {
		t.Errorf("gathered: %v", gathered)
	}
	if err := npy.WriteFile(path, []float32{1, 2, 3, 4, 1, 2, 3, 4}, 2, 4); err != nil {
		t.Fatal(err)
	}
	if ds, err = data.Open(t.Context(), path, data.Options{Missing: true}); err != nil {
		t.Fatal(err)
	}
	if data.MissingOf(ds) != nil || data.MissingOf(data.Subset(ds, []int{1})) != nil {
		t.Error("values are missing where there is no NaN")
	}
	x[0] = float32(math.Inf(1))
	if err := npy.WriteFile(path, x, 3, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open(t.Context(), path, data.Options{Missing: true}); err == nil ||
		!strings.Contains(err.Error(), "+Inf at row 0, column 0") {
		t.Errorf("infinity: %v", err)
	}
}

// A mask has the shape of a row or of all rows, with or without a channel; 0 is missing.
func TestReadMask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mask.npy")
	shape := data.Shape{H: 2, W: 3, C: 1}
	one := []float32{1, 0, 1, 1, 1, -2}
	two := append(slices.Clone(one), 0, 0, 1, 1, 1, 1)
	for _, c := range []struct {
		x    []float32
		dims []int
		want []int // nil: an error
	}{
		{one, []int{2, 3}, []int{1}},
		{one, []int{6}, []int{1}},
		{one, []int{2, 3, 1}, []int{1}},
		{two, []int{2, 2, 3}, []int{1, 6, 7}},
		{two, []int{2, 6}, []int{1, 6, 7}},
		{two, []int{2, 2, 3, 1}, []int{1, 6, 7}},
		{one, []int{3, 2}, nil},
		{one, []int{1, 6}, []int{1}},
		{two, []int{12}, nil},
		{two, []int{3, 4}, nil},
		{[]float32{1, float32(math.NaN()), 1, 1, 1, 1}, []int{6}, nil},
	} {
		if err := npy.WriteFile(path, c.x, c.dims...); err != nil {
			t.Fatal(err)
		}
		got, err := data.ReadMask(t.Context(), path, shape, 2)
		switch {
		case c.want == nil && (err == nil || !strings.Contains(err.Error(), path)):
			t.Errorf("%v: error %v", c.dims, err)
		case c.want != nil && (err != nil || !slices.Equal(at(got), c.want)):
			t.Errorf("%v: %v, %v, expected %v", c.dims, got, err, c.want)
		}
	}
}

// What either says is missing is: a row for all and a row each, too.
func TestBoth(t *testing.T) {
	all := &data.Missing{D: 2, At: []bool{true, false}}
	each := &data.Missing{D: 2, At: []bool{false, false, false, true, true, false}}
	for _, order := range [][]*data.Missing{{all, each}, {each, nil, all}} {
		if got := at(data.Both(order...)); !slices.Equal(got, []int{0, 2, 3, 4}) {
			t.Errorf("missing: %v", got)
		}
	}
	if data.Both(nil, nil) != nil || data.Both(nil, all) != all {
		t.Error("nothing is added to nothing")
	}
}

// A part of a part has its own rows, and a mirror image lacks the mirror image of what is missing.
func TestMissingOfViews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holes.npy")
	nan := float32(math.NaN())
	x := []float32{1, nan, 0, 0.5, -1, -1, nan, -1, 0, 0, 1, nan}
	if err := npy.WriteFile(path, x, 3, 2, 2); err != nil {
		t.Fatal(err)
	}
	ds, err := data.Open(t.Context(), path, data.Options{Missing: true})
	if err != nil {
		t.Fatal(err)
	}
	part := data.Subset(data.Subset(ds, []int{2, 0}), []int{1})
	if m := data.MissingOf(part); !slices.Equal(at(m), []int{1}) || m.Known() != 3 || !m.Any() {
		t.Errorf("of a part of a part: %v, %v known", at(m), m.Known())
	}
	both, err := data.Flipped(data.Subset(ds, []int{0, 1}))
	if err != nil {
		t.Fatal(err)
	}
	if got := at(data.MissingOf(both)); !slices.Equal(got, []int{1, 6, 8, 15}) {
		t.Errorf("of mirror images: %v", got)
	}
}

// A hole is its rectangle, in all channels, and nothing beyond the picture.
func TestHole(t *testing.T) {
	shape := data.Shape{H: 3, W: 4, C: 2}
	m, err := data.Hole(shape, 1, 0, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 3 {
		for x := range 4 {
			want := (x == 1 || x == 2) && y < 2
			for c := range 2 {
				if got := m.Row(5)[(y*4+x)*2+c]; got != want {
					t.Errorf("pixel %d, %d, channel %d: missing %v, want %v", x, y, c, got, want)
				}
			}
		}
	}
	for _, wrong := range [][4]int{{-1, 0, 1, 1}, {0, 0, 0, 1}, {3, 0, 2, 1}, {0, 2, 1, 2}} {
		if _, err := data.Hole(shape, wrong[0], wrong[1], wrong[2], wrong[3]); err == nil {
			t.Errorf("%v: no error", wrong)
		}
	}
}
