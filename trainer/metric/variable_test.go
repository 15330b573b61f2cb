package metric

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var nan = math.NaN()

func numbers(x ...float64) Variable           { return Variable{Values: x} }
func categories(k int, x ...float64) Variable { return Variable{Values: x, Categories: k} }
func near(got, want, within float64) bool     { return math.Abs(got-want) <= within }
func repeated(x []float64, n int) (y []float64) {
	for range n {
		y = append(y, x...)
	}
	return y
}

// A shift by c moves every value by c, and a stretch of 0, 1 to 0, s moves half of them by s - 1.
// Categories differ by half the sum of the differences of their shares. Missing values do not
// count.
func TestMarginalDistance(t *testing.T) {
	deviation := math.Sqrt(2. / 3) // of 1, 2, 3
	for _, c := range []struct {
		v, reference Variable
		want         float64
	}{
		{numbers(1, 2, 3), numbers(1, 2, 3), 0},
		{numbers(2, 3, 1, 1, 3, 2), numbers(1, 2, 3), 0},
		{numbers(6, 4, 5), numbers(1, 2, 3), 3 / deviation},
		{numbers(nan, 6, 4, nan, 5), numbers(1, nan, 2, 3), 3 / deviation},
		{numbers(0, 5), numbers(0, 1), 2 / 0.5},
		{numbers(0.5), numbers(0, 1), 1}, // a half, over a deviation of a half
		{numbers(0, 0, 0, 1), numbers(0, 1), 0.25 / 0.5},
		{categories(3, 0, 0, 1, 1), categories(3, 0, 1), 0},
		{categories(3, 0, 0, 1, 1), categories(3, 2), 1},
		{categories(3, 0, 0, nan, 1, 2), categories(3, 0, 1, 1, nan, 2), 0.25},
	} {
		got, err := MarginalDistance(c.v, c.reference)
		if err != nil || !near(got, c.want, 1e-14) {
			t.Errorf("%v from %v: %v, %v, expected %v", c.v, c.reference, got, err, c.want)
		}
	}
	for _, c := range []struct{ v, reference Variable }{
		{numbers(nan), numbers(1, 2)}, {numbers(1, 2), numbers(nan, nan)},
		{numbers(1, 2), numbers(3, 3)}, {categories(2, nan), categories(2, 1)},
	} {
		if got, err := MarginalDistance(c.v, c.reference); !errors.Is(err, ErrUnfit) {
			t.Errorf("%v from %v: %v, %v", c.v, c.reference, got, err)
		}
	}
	for _, c := range []struct{ v, reference Variable }{
		{numbers(math.Inf(1)), numbers(1, 2)}, {categories(2, 2), categories(2, 1)},
		{categories(2, 0), categories(2, 0.5)}, {categories(2, 0), categories(3, 0)},
		{categories(2, 0), numbers(0, 1)}, {categories(2, -1), categories(2, 0)},
	} {
		got, err := MarginalDistance(c.v, c.reference)
		if err == nil || errors.Is(err, ErrUnfit) {
			t.Errorf("%v from %v: %v, %v", c.v, c.reference, got, err)
		}
	}
}

// Of two sets of n numbers the distance is the mean difference of the sorted numbers, and of sets
// of different sizes that of sets in which each number is repeated to the same size.
func TestWasserstein1Sorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() (x []float64) {
		for range 1 + r.IntN(9) {
			x = append(x, float64(r.IntN(20))) // some are equal
		}
		slices.Sort(x)
		return x
	}
	for range 200 {
		x, y := draw(), draw()
		a, b := repeated(x, len(y)), repeated(y, len(x))
		slices.Sort(a)
		slices.Sort(b)
		want := 0.0
		for i := range a {
			want += math.Abs(a[i]-b[i]) / float64(len(a))
		}
		if got := wasserstein1(x, y); !near(got, want, 1e-13) { // sums of few terms below 20
			t.Fatalf("%v and %v: %v, expected %v", x, y, got, want)
		}
	}
}

func TestTake(t *testing.T) {
	v := Variables{numbers(1, 2, nan), categories(3, 2, 0, 1)}
	got := v.Take([]int{1, 1, 0})
	if got.Len() != 3 || !slices.Equal(got[0].Values, []float64{2, 2, 1}) ||
		!slices.Equal(got[1].Values, []float64{0, 0, 2}) || got[1].Categories != 3 {
		t.Errorf("%v", got)
	}
}

// The mean of the first column has the interval of the normal distribution, and its resamples have
// its mean; resamples without known values are left out, unless most are.
func TestTableInterval(t *testing.T) {
	x := make([]float64, 400)
	for i := range x {
		x[i] = float64(i % 2) // standard deviation 1/2, of the mean 1/40
	}
	mean := func(a, _ Variables) (float64, error) {
		known := a[0].known()
		if len(known) == 0 {
			return 0, unfit("none")
		}
		return total(known) / float64(len(known)), nil
	}
	one := Variables{numbers(x...)}
	interval := func(v Variables) (Estimate, error) {
		return TableInterval(t.Context(), v, one, mean, DefaultBootstrap(3), nil)
	}
	got, err := interval(one)
	// The deviation of 400 resamples' 2.5 % quantile is that of the mean over 7: 0.0035.
	if err != nil || got.Value != 0.5 || !near(got.Low, 0.5-1.96/40, 0.012) ||
		!near(got.High, 0.5+1.96/40, 0.012) || !near(got.Bias, 0, 0.005) {
		t.Errorf("%+v, %v", got, err)
	}
	few := Variables{numbers(append([]float64{1}, repeated([]float64{nan}, 399)...)...)}
	if got, err = interval(few); err != nil || got.Value != 1 || !near(got.Low, 1, 1e-14) {
		t.Errorf("%+v, %v", got, err) // one row, which is in 63 % of the resamples
	}
	if got, err = interval(Variables{numbers(nan, nan)}); err == nil {
		t.Errorf("%+v and no error", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = TableInterval(ctx, one, one, mean, DefaultBootstrap(3), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v after the context ended", err)
	}
}
