package metric

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// normals returns n rows of independent normals of the given means and standard deviations.
func normals(n int, mean, std []float64, seed uint64) *Features {
	k := len(mean)
	f := NewFeatures(make([]float32, n*k), n, k)
	kernel.Normal(f.X, kernel.Key{Seed: seed, Stream: 2}, 0)
	for i, v := range f.X {
		f.X[i] = float32(mean[i%k] + std[i%k]*float64(v))
	}
	return f
}

// standard returns n rows of k independent normals of mean 0 and variance 1.
func standard(n, k int, seed uint64) *Features {
	mean, std := make([]float64, k), make([]float64, k)
	for i := range std {
		std[i] = 1
	}
	return normals(n, mean, std, seed)
}

// must returns a result, or ends the test with its error.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestFeatureRows(t *testing.T) {
	f := NewFeatures([]float32{0, 1, 2, 3, 4, 5}, 3, 2)
	if got := f.Take([]int{2, 0, 2}).X; !slices.Equal(got, []float32{4, 5, 0, 1, 4, 5}) {
		t.Errorf("took %v", got)
	}
	if got := f.Rows(1, 3); got.N != 2 || !slices.Equal(got.Row(1), []float32{4, 5}) {
		t.Errorf("rows 1 to 3 are %v", got)
	}
	defer func() {
		if recover() != panicFeatures {
			t.Error("no panic at a wrong length")
		}
	}()
	NewFeatures(f.X, 2, 2)
}

// array is data.Rows in memory.
type array struct {
	rows []float32
	dim  int
}

func (a array) Len() int { return len(a.rows) / a.dim }

func (a array) Gather(dst []float32, idx []int) {
	for i, r := range idx {
		copy(dst[i*a.dim:(i+1)*a.dim], a.rows[r*a.dim:])
	}
}

func wantClose(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %v, expected %v within %g", what, got, want, tol)
	}
}

// wantError checks that an error names everything a user needs.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

func TestValues(t *testing.T) {
	rows := array{[]float32{0.5, -3, 1.5, 0.25}, 2}
	for bounded, want := range map[bool][]float32{
		true: {0.5, -1, 1, 0.25}, false: {0.5, -3, 1.5, 0.25},
	} {
		got := must[*Features](t)(Values(t.Context(), rows, 2, bounded))
		if got.N != 2 || !slices.Equal(got.X, want) {
			t.Errorf("bounded: %v, values %v", bounded, got)
		}
	}
	late := array{reference.Uniform(2*(valueRows+90), 1), 2}
	late.rows[2*(valueRows+50)] = float32(math.NaN())
	_, err := Values(t.Context(), late, 2, true)
	wantError(t, err, "row 562", "NaN")
}

// Every metric refuses sets that it cannot compare.
func TestBadFeatures(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	bs := DefaultBootstrap(1)
	nan := standard(30, 4, 1)
	nan.X[4*17+2] = float32(math.NaN())
	inf := standard(30, 4, 1)
	inf.X[3] = float32(math.Inf(-1))
	for name, metric := range map[string]func(a, b *Features) error{
		"FD": func(a, b *Features) error {
			_, err := Frechet(t.Context(), a, b)
			return err
		},
		"FD interval": func(a, b *Features) error {
			_, err := FrechetInterval(t.Context(), a, b, bs, p)
			return err
		},
		"KID": func(a, b *Features) error {
			_, err := KID(t.Context(), a, b, DefaultKID(1), p)
			return err
		},
		"RBF": func(a, b *Features) error {
			_, _, err := RBFMMD(t.Context(), a, b, 0.95, 1, p)
			return err
		},
		"sliced": func(a, b *Features) error {
			_, err := SlicedWasserstein(t.Context(), a, b, 8, 1, p)
			return err
		},
		"sliced interval": func(a, b *Features) error {
			_, err := SlicedWassersteinInterval(t.Context(), a, b, 8, bs, p)
			return err
		},
		"precision": func(a, b *Features) error {
			_, err := PrecisionRecall(t.Context(), a, b, 3, bs, p)
			return err
		},
		"nearest": func(a, b *Features) error {
			_, err := Nearest(t.Context(), a, b, p)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			good := standard(30, 4, 3)
			if err := metric(good, good); err != nil {
				t.Fatal(err)
			}
			wantError(t, metric(nan, good), "row 17 of the first set", "NaN", "column 2")
			wantError(t, metric(good, inf), "row 0 of the second set", "-Inf", "column 3")
			wantError(t, metric(standard(30, 5, 3), good), "5 and of 4 numbers")
			empty := metric(NewFeatures(nil, 0, 4), good)
			if wantError(t, empty, "the first set has 0 rows"); !errors.Is(empty, ErrUnfit) {
				t.Errorf("%v is not ErrUnfit", empty)
			}
			wantError(t, metric(good, NewFeatures(nil, 0, 4)), "the second set has 0 rows")
		})
	}
}

func TestBadOptions(t *testing.T) {
	f := standard(30, 4, 3)
	bs := func(resamples int, level float64) Bootstrap {
		return Bootstrap{Resamples: resamples, Level: level}
	}
	kid := func(subsets, size int, level float64) error {
		_, err := KID(t.Context(), f, f, KIDOptions{
			Subsets: subsets, SubsetSize: size, Level: level,
		}, nil)
		return err
	}
	interval := func(b Bootstrap) error {
		_, err := FrechetInterval(t.Context(), f, f, b, nil)
		return err
	}
	slicedBy := func(n int) error {
		_, err := SlicedWasserstein(t.Context(), f, f, n, 1, nil)
		return err
	}
	overlap := func(k int, f *Features) error {
		_, err := PrecisionRecall(t.Context(), f, f, k, DefaultBootstrap(1), nil)
		return err
	}
	share := func(hits, n int) error { _, err := ShareInterval(hits, n, 0.95); return err }
	rbf := func(f *Features, level float64) error {
		_, _, err := RBFMMD(t.Context(), f, f, level, 1, nil)
		return err
	}
	floor := func(n, m, repeats int) error {
		_, err := Floor(f, n, m, repeats, 1, func(a, b *Features) (float64, error) {
			return Frechet(t.Context(), a, b)
		})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"one row": {func() error {
			_, err := Frechet(t.Context(), f, f.Rows(0, 1))
			return err
		}(), "the second set has 1 rows, expected 2"},
		"few resamples": {interval(bs(39, 0.95)), "39 resamples, expected 40"},
		"level 0":       {interval(bs(400, 0)), "probability 0"},
		"level 1":       {interval(bs(400, 1)), "probability 1"},
		"level NaN":     {interval(bs(400, math.NaN())), "probability NaN"},
		"KID of two rows": {func() error {
			_, err := KID(t.Context(), f, f.Rows(0, 2), DefaultKID(1), nil)
			return err
		}(), "2 rows, expected 3"},
		"one subset":    {kid(1, 10, 0.95), "1 subsets"},
		"small subsets": {kid(10, 2, 0.95), "subsets of 2 rows"},
		"KID's level":   {kid(10, 10, 2), "probability 2"},
		"RBF's level":   {rbf(f, -1), "probability -1"},
		"RBF of equal rows": {rbf(NewFeatures(make([]float32, 40), 10, 4), 0.95), "half of the " +
			"rows are equal"},
		"no directions": {slicedBy(0), "0 directions"},
		"no neighbours": {overlap(0, f), "0 neighbours"},
		"k rows":        {overlap(3, f.Rows(0, 3)), "3 rows, expected 4"},
		"no trials":     {share(0, 0), "0 trials"},
		"too many hits": {share(3, 2), "3 hits in 2"},
		"mean of nothing": {func() error {
			_, err := MeanInterval(nil, DefaultBootstrap(1), nil)
			return err
		}(), "no rows"},
		"mean of an infinity": {func() error {
			_, err := MeanInterval([]float64{1, math.Inf(-1)}, DefaultBootstrap(1), nil)
			return err
		}(), "number 1 is -Inf"},
		"median of nothing": {func() error {
			_, err := MedianInterval(nil, DefaultBootstrap(1), nil)
			return err
		}(), "no values"},
		"floor of one": {floor(1, 20, 3), "between 1 and 20"},
		"floor once":   {floor(10, 10, 1), "1 repeats"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, c.err, "metric: ", c.want) })
	}
}
