package data

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

// sines is n signals of t samples of c channels around a level, with an amplitude.
func sines(n, t, c int, level, amplitude float64) []float32 {
	x := make([]float32, n*t*c)
	for i := range x {
		x[i] = float32(level + amplitude*math.Sin(float64(i*i)))
	}
	return x
}

// stats are the mean and standard deviation of x.
func stats(x []float32) (mean, deviation float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		deviation += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	return mean, math.Sqrt(deviation)
}

// Arrays M x T and M x T x C are signals if asked for, squares too, scaled by one map to a mean
// near 0 and a standard deviation of 1/2, which the summary says.
func TestSignals(t *testing.T) {
	for _, c := range []struct {
		dims string
		want Shape
	}{
		{"9, 16", Shape{1, 16, 1}}, {"9, 10", Shape{1, 10, 1}}, {"9, 10, 4", Shape{1, 10, 4}},
	} {
		x := sines(9, c.want.W, c.want.C, -40, 300)
		path := write(t, t.TempDir(), "x.npy", npy(npyDictOf("<f4", c.dims), floats(x...)))
		f, ds, warned := found(t, path, Options{As: Signals, SampleRate: 8})
		if f.Shape != c.want || f.Kind != Signals || KindOf(ds) != Signals || len(warned) > 0 ||
			KindOf(Subset(ds, []int{1})) != Signals {
			t.Errorf("%s: %v of kind %v: %q", c.dims, f.Shape, f.Kind, warned)
		}
		got := gather(ds)
		mean, deviation := stats(got)
		if math.Abs(mean) > 0.01 || math.Abs(deviation-0.5) > 0.01 {
			t.Errorf("%s: mean %v, standard deviation %v, expected 0 and 1/2", c.dims, mean,
				deviation)
		}
		ends := f.Summary.Range
		for i, v := range got {
			back := ends[0] + (float64(v)+1)/2*(ends[1]-ends[0])
			if math.Abs(back-float64(x[i])) > 1e-4 { // float32 at 300
				t.Fatalf("%s: value %d is %v, which stands for %v, not %v", c.dims, i, v, back,
					x[i])
			}
		}
		for _, part := range []string{"9 signals of ", "(8 Hz, ", "becomes -1"} {
			if !strings.Contains(f.Summary.String(), part) {
				t.Errorf("%q does not say %q", f.Summary, part)
			}
		}
	}
}

// A given range makes the same map whether it was found or given, for all types of numbers: runs
// store the range and must find the same bits again. A mean near zero counts as zero.
func TestSignalsRange(t *testing.T) {
	double := make([]byte, 0, 9*10*8)
	for _, v := range sines(9, 10, 1, 0.001, 0.1) {
		double = binary.LittleEndian.AppendUint64(double, math.Float64bits(float64(v)/3))
	}
	for dtype, payload := range map[string][]byte{
		"<f4": floats(sines(9, 10, 1, 5, 1)...), "<f8": double, "<i2": ramp(2 * 90),
		"|u1": ramp(90),
	} {
		path := write(t, t.TempDir(), "x.npy", npy(npyDictOf(dtype, "9, 10"), payload))
		f, ds, _ := found(t, path, Options{As: Signals})
		again := mustOpen(t, path, Options{As: Signals, Range: &f.Summary.Range})
		if !slices.Equal(gather(ds), gather(again)) {
			t.Errorf("%s: given the range %v, other numbers", dtype, f.Summary.Range)
		}
		if r := f.Summary.Range; dtype == "<f8" && r[0] != -r[1] {
			t.Errorf("a range of %v, expected one around 0", r)
		}
	}
}

// The first samples are taken, and what is missing stays so, and zero.
func TestSignalsLength(t *testing.T) {
	x := sines(9, 10, 2, 3, 1)
	x[1], x[3], x[21] = float32(math.NaN()), 7, float32(math.NaN())
	path := write(t, t.TempDir(), "x.npy", npy(npyDictOf("<f4", "9, 10, 2"), floats(x...)))
	opt := Options{As: Signals, Length: 4, Missing: true, Range: &[2]float64{-1, 7}}
	ds := mustOpen(t, path, opt)
	if want := (Shape{1, 4, 2}); ds.Shape() != want {
		t.Fatalf("%v, expected %v", ds.Shape(), want)
	}
	got, missing := gather(ds), MissingOf(ds)
	second := []bool{1: true, 7: false}
	if got[3] != 1 || got[1] != 0 || got[9] != 0 || missing == nil ||
		!slices.Equal(missing.Row(1), second) {
		t.Errorf("%v, missing %v", got[:16], missing)
	}
	if want := (float64(x[22])+1)/4 - 1; math.Abs(float64(got[10])-want) > 1e-6 {
		t.Errorf("%v, expected %v", got[10], want)
	}
}

// Rows are rows even if they could be pictures.
func TestRows(t *testing.T) {
	path := write(t, t.TempDir(), "x.npy", npy(npyDictOf("|u1", "9, 16"), ramp(9*16)))
	f, ds, _ := found(t, path, Options{As: Numbers})
	if want := (Shape{1, 16, 1}); f.Shape != want || KindOf(ds) != Numbers {
		t.Errorf("%v of kind %s", f.Shape, KindOf(ds))
	}
	if f, _, _ := found(t, path, Options{}); f.Shape.H != 4 || f.Kind != Pictures {
		t.Errorf("%v of kind %s", f.Shape, f.Kind)
	}
	if !strings.Contains(f.Summary.String(), "9 rows of 16 numbers") {
		t.Errorf("%q", f.Summary)
	}
}

// What is not of the kind that was asked for is refused, with what would be.
func TestKindErrors(t *testing.T) {
	square := npy(npyDictOf("|u1", "9, 16"), ramp(9*16))
	wide := npy(npyDictOf("|u1", "9, 15"), ramp(9*15))
	deep := npy(npyDictOf("|u1", "9, 4, 4, 1"), ramp(9*16))
	flat := npy(npyDictOf("<f4", "3, 4"), floats(make([]float32, 12)...))
	for _, c := range []struct {
		file []byte
		opt  Options
		want []string
	}{
		{deep, Options{As: Signals}, []string{"4 dimensions", "M x T x C with --as signals"}},
		{deep, Options{As: Numbers}, []string{"M x D with --as rows"}},
		{wide, Options{As: Pictures}, []string{"15 numbers, which is no square"}},
		{square, Options{As: Columns}, []string{"tables of named columns"}},
		{square, Options{Length: 2}, []string{"--length", "apply only to signals"}},
		{square, Options{SampleRate: 2}, []string{"--sample-rate apply only to signals"}},
		{square, Options{As: Signals, Length: 17}, []string{"--length is 17", "16 samples"}},
		{square, Options{As: Signals, Length: 1}, []string{"signals of 1 sample; expected"}},
		{flat, Options{As: Signals}, []string{"all values are 0", "nothing to learn"}},
		{square, Options{As: Signals, Size: 8}, []string{"--size and --gray apply only"}},
		{square, Options{As: Signals, Range: &[2]float64{0, 1e-320}},
			[]string{"larger than float32"}},
	} {
		path := write(t, t.TempDir(), "x.npy", c.file)
		_, err := Open(t.Context(), path, c.opt)
		wantError(t, err, c.want...)
	}
	_, err := Open(t.Context(), "digits", Options{As: Signals})
	wantError(t, err, "digits: holds pictures, not signals")
}

// Channels of other scales, and channels that seem to come first, are warned of.
func TestSignalsWarnings(t *testing.T) {
	x := sines(9, 10, 2, 0, 1)
	for i := 0; i < len(x); i += 2 {
		x[i] *= 100
	}
	dir := t.TempDir()
	unlike := write(t, dir, "x.npy", npy(npyDictOf("<f4", "9, 10, 2"), floats(x...)))
	few := floats(sines(9, 2, 10, 0, 1)...)
	turned := write(t, dir, "y.npy", npy(npyDictOf("<f4", "9, 2, 10"), few))
	pictures := write(t, dir, "z.npy", npy(npyDictOf("|u1", "9, 10, 2"), ramp(180)))
	for path, c := range map[string]struct {
		as   Kind
		want string
	}{
		unlike:   {Signals, "channels differ in scale"},
		turned:   {Signals, "if the channels come first, save x.transpose(0, 2, 1)"},
		pictures: {Auto, "2 channels, say --as signals"},
	} {
		_, _, warned := found(t, path, Options{As: c.as})
		if len(warned) != 1 || !strings.Contains(warned[0], c.want) {
			t.Errorf("warned of %q, expected %q", warned, c.want)
		}
	}
}
