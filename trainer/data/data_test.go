package data

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestShape(t *testing.T) {
	for _, tc := range []struct {
		shape Shape
		dim   int
		text  string
		dims  []int
	}{
		{Shape{28, 20, 1}, 560, "28 x 20", []int{7, 28, 20, 1}},
		{Shape{2, 3, 3}, 18, "2 x 3 x 3", []int{7, 2, 3, 3}},
		{Shape{1, 5, 3}, 15, "1 x 5 x 3", []int{7, 1, 5, 3}},
		{Shape{1, 5, 1}, 5, "1 x 5", []int{7, 5}},
	} {
		if tc.shape.Dim() != tc.dim || tc.shape.String() != tc.text {
			t.Errorf("%v has %d values; expected %s, %d", tc.shape, tc.shape.Dim(), tc.text, tc.dim)
		}
		if dims := tc.shape.Dims(7); !slices.Equal(dims, tc.dims) {
			t.Errorf("seven of %v have the dimensions %v; expected %v", tc.shape, dims, tc.dims)
		}
	}
}

func TestShapeValidate(t *testing.T) {
	for _, s := range []Shape{{1, 1, 1}, {28, 28, 3}, {1, maxDim, 1}, {maxDim, 1, 1},
		{4096, 4096, 1}, {2364, 2365, 3}} {
		if err := s.Validate(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	for s, want := range map[Shape]string{
		{0, 8, 1}: "H = 0: ", {8, -1, 1}: "W = -1: ", {8, 8, 0}: "C = 0: ", {8, 8, 4}: "C = 4: ",
		{1, maxDim + 1, 1}: "H x W x C = 1 x 16777217 x 1: ", {2365, 2365, 3}: "at most 16777216",
		{math.MaxInt, math.MaxInt, 3}: "H x W x C",
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, expected %q", s, err, want)
		}
	}
}

// The name of a run directory must not be "." or "..".
func TestBaseName(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{".", "..", "x/..", "x/"} {
		if name := baseName(path); name == "." || name == ".." || name == "" {
			t.Errorf("baseName(%q) = %q", path, name)
		}
	}
}
