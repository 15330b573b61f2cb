package data

import "testing"

func TestShape(t *testing.T) {
	for _, tc := range []struct {
		shape Shape
		dim   int
		text  string
	}{{Shape{28, 20, 1}, 560, "28 x 20"}, {Shape{2, 3, 3}, 18, "2 x 3 x 3"}, {Shape{1, 5, 1}, 5, "1 x 5"}} {
		if tc.shape.Dim() != tc.dim || tc.shape.String() != tc.text {
			t.Errorf("%v has %d values; expected %s, %d", tc.shape, tc.shape.Dim(), tc.text, tc.dim)
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
