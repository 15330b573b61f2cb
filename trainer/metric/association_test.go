package metric

import (
	"errors"
	"math"
	"testing"
)

// Small tables by hand. A straight line is correlated by 1; 1, 2, 3 and 1, 3, 2 by 1/2. Of numbers
// 0, 2 and 4, 6 in two categories the variance is 5, and 4 that of the means 1 and 5. Of counts
// (3, 1; 1, 3) chi^2 is 2 and V^2 is 2/8; of categories that tell each other V is 1, with an unused
// third one, too.
func TestAssociation(t *testing.T) {
	for _, c := range []struct {
		name string
		v, w Variable
		want float64
	}{
		{"line", numbers(1, 2, 3), numbers(10, 20, 30), 1},
		{"falling line", numbers(1, 2, 3), numbers(3, 2, 1), -1},
		{"half", numbers(1, 2, 3), numbers(1, 3, 2), 0.5},
		{"pairwise", numbers(1, nan, 2, 3, 7), numbers(1, 50, 3, 2, nan), 0.5},
		{"constant", numbers(1, 2, 3), numbers(4, 4, 4), 0},
		{"constant where both are known", numbers(1, 2, 3), numbers(4, 4, nan), 0},
		{"one row", numbers(1, nan), numbers(2, 3), nan},
		{"ratio", numbers(0, 2, 4, 6), categories(2, 0, 0, 1, 1), math.Sqrt(4. / 5)},
		{"ratio of all", numbers(1, 1, 2, 2), categories(3, 0, 0, 2, 2), 1},
		{"ratio of none", numbers(1, 2, 1, 2), categories(2, 0, 0, 1, 1), 0},
		{"ratio, constant", numbers(1, 1), categories(2, 0, 1), 0},
		{"ratio, one category", numbers(1, 2, 5), categories(2, 1, 1, 1), 0},
		{
			"V", categories(2, 0, 0, 0, 0, 1, 1, 1, 1), categories(2, 0, 0, 0, 1, 1, 1, 1, 0), 0.5,
		},
		{"V of the same", categories(3, 0, 2, 0, 2), categories(2, 1, 0, 1, 0), 1},
		{"V of independent", categories(2, 0, 0, 1, 1), categories(2, 0, 1, 0, 1), 0},
		{"V, one category", categories(2, 0, 0, 0), categories(2, 0, 1, 0), 0},
	} {
		for _, order := range []Variables{{c.v, c.w}, {c.w, c.v}} {
			got, err := NewAssociations(order)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if a := got.At[1]; a != got.At[2] && !math.IsNaN(a) || !near(a, c.want, 1e-14) &&
				!(math.IsNaN(a) && math.IsNaN(c.want)) {
				t.Errorf("%s: %v, expected %v", c.name, got.At, c.want)
			}
			if got.At[0] != 1 || got.At[3] != 1 {
				t.Errorf("%s: the diagonal is %v and %v", c.name, got.At[0], got.At[3])
			}
		}
	}
}

// Three columns, whose pairs differ by 0.5, by 2 and by what is not known.
func TestAssociationDifference(t *testing.T) {
	a := Variables{numbers(1, 2, 3, nan), numbers(1, 3, 2, 5), numbers(1, 2, 3, nan)}
	b := Variables{numbers(1, 2, 3, nan), numbers(1, 2, 3, 5), numbers(3, 2, 1, nan)}
	got, err := AssociationDifference(a, b) // 0.5 and 1, 1 and -1, 0.5 and -1
	if want := (0.5 + 2 + 1.5) / 3; err != nil || !near(got, want, 1e-14) {
		t.Errorf("%v, %v, expected %v", got, err, want)
	}
	b[2] = numbers(nan, nan, nan, 1)
	if got, err = AssociationDifference(a, b); err != nil || !near(got, 0.5, 1e-14) {
		t.Errorf("%v, %v, expected 0.5", got, err)
	}
	if got, err = AssociationDifference(a[:1], b[:1]); !errors.Is(err, ErrUnfit) {
		t.Errorf("of one column: %v, %v", got, err)
	}
	for _, bad := range []Variables{a[:2], {a[0], a[1], categories(6, 1, 2, 3, nan)},
		{a[0], a[1], numbers(1)}} {
		if got, err := AssociationDifference(a, bad); err == nil || errors.Is(err, ErrUnfit) {
			t.Errorf("of %v: %v, %v", bad, got, err)
		}
	}
}
