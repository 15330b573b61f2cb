package data

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// Arrays whose dimensions may be a mistake cause a warning.
func TestDoubts(t *testing.T) {
	for _, c := range []struct {
		dims []int
		want string // none if empty
	}{
		{[]int{24, 192}, "1 x 192; if they are RGB pictures of 8 x 8, save x.reshape(-1, 8, 8, 3)"},
		{[]int{9, 3072}, "x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)"},
		{[]int{24, 3}, ""}, {[]int{24, 48}, ""}, {[]int{24, 147}, ""}, // small tables
		{[]int{24, 784}, ""}, {[]int{24, 100}, ""}, {[]int{24, 191}, ""},
		{[]int{64, 64}, "one picture of 64 x 64"}, {[]int{4, 4}, ""},
		{[]int{24, 24, 3}, "24 gray images of 24 x 3; if it is one picture of 24 x 24 x 3"},
		{[]int{24, 20, 4}, "one picture of 24 x 20 x 4"}, {[]int{24, 4, 4}, ""},
		{[]int{24, 20, 5}, ""},
		{[]int{3, 24, 24}, "one RGB picture, channels first"}, {[]int{3, 4, 2}, ""},
		{[]int{24, 8, 8}, ""}, {[]int{24, 8, 8, 3}, ""},
	} {
		got := doubt(c.dims, Auto)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q; expected %q", c.dims, got, c.want)
		}
	}
	_, _, warned, err := read(t, npy(npyDictOf("|u1", "24, 24, 3"), ramp(24*24*3)), Options{})
	if err != nil || !strings.Contains(warned, "one picture") ||
		!strings.Contains(warned, "x.npy") {
		t.Errorf("%v, warned of %q", err, warned)
	}
}

// Arrays in other orders are refused with the line of NumPy that corrects them.
func TestWrongChannels(t *testing.T) {
	for want, dims := range map[string][]int{
		"x.transpose(0, 2, 3, 1), 9 x 8 x 7 x 3":  {9, 3, 8, 7},
		"x.transpose(0, 2, 3, 1), 9 x 8 x 7 x 1":  {9, 1, 8, 7},
		"x.transpose(3, 0, 1, 2), 50 x 8 x 7 x 3": {8, 7, 3, 50},
		"x.transpose(3, 1, 2, 0), 50 x 8 x 7 x 3": {3, 8, 7, 50},
		"x[..., :3]": {9, 8, 7, 4}, "x[..., :1]": {9, 8, 7, 2}, "5 channels": {9, 8, 7, 5},
	} {
		if _, err := imageShape(dims); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), joinDims(dims)) {
			t.Errorf("%v: %v; expected %q", dims, err, want)
		}
	}
}

// Fortran order follows its definition: the index of the image runs fastest, then row, column and
// channel.
func TestFortranOrder(t *testing.T) {
	for _, dims := range [][]int{{5, 3}, {4, 3, 2}, {3, 4, 2, 3}, {2, 1, 5, 1}, {2, 7, 1, 3}} {
		n, err := elements(dims)
		if err != nil {
			t.Fatal(err)
		}
		f := newFortran(dims)
		src, want := make([]int32, n), make([]int32, n)
		index := make([]int, len(dims))
		for at := range n { // in C order
			place, stride := 0, 1
			for k, d := range dims {
				place += index[k] * stride
				stride *= d
			}
			src[place], want[at] = int32(at), int32(at)
			if row, column := f.place(place); row != index[0] || row*n/dims[0]+column != at {
				t.Errorf("%v: element %d of the file is row %d, column %d", dims, place,
					row, column)
			}
			for k := len(dims) - 1; k >= 0; k-- {
				if index[k]++; index[k] < dims[k] {
					break
				}
				index[k] = 0
			}
		}
		for _, cols := range []int{1, 2, len(f.at)} {
			f.cols = min(cols, len(f.at))
			next := func(first, k int) ([]int32, error) { return src[first : first+k], nil }
			got, err := inCOrder(t.Context(), f, next)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %d columns at a time: %v, %v", dims, f.cols, got, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	next := func(first, k int) ([]byte, error) { return make([]byte, k), nil }
	if _, err := inCOrder(ctx, newFortran([]int{4, 3}), next); !errors.Is(err, context.Canceled) {
		t.Errorf("ignores the end of its context: %v", err)
	}
}
