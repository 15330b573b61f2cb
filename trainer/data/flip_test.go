package data

import (
	"slices"
	"testing"
)

// Images 0 to M-1 are those of the data, M to 2M-1 their mirror images, in any order of asking.
func TestFlipped(t *testing.T) {
	a := &array{
		name: "a", shape: Shape{2, 3, 3}, m: 2, u8: ramp(36),
		labels: []int32{4, -1}, files: []string{"x.png", "y.png"}, classes: []string{"", "b"},
	}
	f, err := Flipped(a)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 4 || f.Shape() != a.shape || f.Name() != "a" {
		t.Errorf("%s: %d images of %v", f.Name(), f.Len(), f.Shape())
	}
	if got := labelsOf(f); !slices.Equal(got, []int{4, -1, 4, -1}) {
		t.Errorf("labels %v", got)
	}
	if !slices.Equal(classNames(f), a.classes) {
		t.Errorf("classes %q", classNames(f))
	}
	for i, want := range []Origin{
		{0, "x.png", false}, {1, "y.png", false}, {0, "x.png", true}, {1, "y.png", true},
	} {
		if got := f.Origin(i); got != want {
			t.Errorf("origin of %d: %v; expected %v", i, got, want)
		}
	}
	idx := []int{3, 0, 2, 1, 3}
	got := make([]float32, len(idx)*18)
	f.Gather(got, idx)
	plain := gather(a)
	for k, i := range idx {
		for y := range 2 {
			for x := range 3 {
				from := x
				if i >= 2 {
					from = 2 - x
				}
				for c := range 3 {
					want := plain[i%2*18+(y*3+from)*3+c]
					if v := got[k*18+(y*3+x)*3+c]; v != want {
						t.Fatalf("image %d, pixel %d, %d, %d: %v; expected %v", i, y, x, c, v, want)
					}
				}
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { f.Gather(got, idx) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	wantPanic(t, "short dst", func() { f.Gather(got[1:], idx) })
}

// A mirror image of a mirror image is the image.
func TestFlippedTwice(t *testing.T) {
	once, err := Flipped(mustOpen(t, "digits", Options{}))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Flipped(once)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 64), make([]float32, 64)
	last := twice.Len() - 1
	once.Gather(x, []int{1796})
	twice.Gather(y, []int{last})
	if !slices.Equal(x, y) || twice.Origin(last).Flipped {
		t.Errorf("%v; expected %v", y, x)
	}
}

func TestFlipRefused(t *testing.T) {
	for _, s := range []Shape{{1, 64, 1}, {1, 4, 3}, {5, 1, 1}} {
		a := &array{name: "rows", shape: s, m: 2, f32: make([]float32, 2*s.Dim())}
		_, err := Flipped(a)
		wantError(t, err, "rows: images of "+s.String(), "--flip", "2 x 2")
	}
	if err := (Shape{2, 2, 1}).CheckFlip(); err != nil {
		t.Error(err)
	}
}
