package data

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/wav"
)

// tone is a WAV file of n samples of each channel.
func tone(n, channels, rate int, pitch float64) []byte {
	x := make([]float32, n*channels)
	for i := range x {
		x[i] = float32(0.5 * math.Sin(pitch*float64(i)))
	}
	b, _ := wav.Encode(x, channels, rate)
	return b
}

// WAV files are signals, in folders and in archives, with the folders as classes. The range can be
// given as for arrays.
func TestSounds(t *testing.T) {
	contents := map[string][]byte{
		"low/a.wav": tone(50, 2, 8000, 0.1), "low/b.wav": tone(50, 2, 8000, 0.2),
		"high/c.wav": tone(50, 2, 8000, 0.9), "high/d": tone(50, 2, 8000, 1), "notes.txt": nil,
	}
	sources := archives(t, contents)
	sources["folder"] = folderOf(t, contents)
	for kind, path := range sources {
		f, ds, warned := found(t, path, Options{Range: &[2]float64{-1, 1}})
		if want := (Shape{1, 50, 2}); f.Shape != want || KindOf(ds) != Signals || len(warned) > 0 ||
			f.Summary.SampleRate != 8000 || ds.Len() != 4 {
			t.Fatalf("%s: %+v, warned of %q", kind, f.Summary, warned)
		}
		l, names := labelsOf(ds), classNames(ds)
		if !slices.Equal(l, []int{0, 0, 1, 1}) || !slices.Equal(names, []string{"high", "low"}) ||
			ds.Origin(1).File != "high/d" {
			t.Errorf("%s: labels %v of %v, %v", kind, l, classNames(ds), origins(ds))
		}
		got, want := gather(ds)[103], float32(0.5*math.Sin(3)) // of high/d
		if math.Abs(float64(got-want)) > 1./(1<<15) {
			t.Errorf("%s: sample %v, expected %v", kind, got, want)
		}
		for _, part := range []string{
			"4 signals of 50 samples (8000 Hz, 0.00625 s), 2 channels", "WAV files (4 16-bit PCM)",
			"2 classes by folders", "passed over",
		} {
			if !strings.Contains(f.Summary.String(), part) {
				t.Errorf("%s: %q does not say %q", kind, f.Summary, part)
			}
		}
	}
}

// Files of other lengths need --length, which passes over shorter ones and takes the beginning of
// longer ones.
func TestSoundsLength(t *testing.T) {
	dir := folderOf(t, map[string][]byte{
		"a.wav": tone(50, 1, 8000, 0.1), "b.wav": tone(40, 1, 8000, 0.1),
		"c.wav": tone(60, 1, 8000, 0.1), "d.wav": tone(30, 1, 8000, 0.1),
	})
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, "30 samples (d.wav) to 60 (c.wav)", "--length 30")
	_, err = Open(t.Context(), dir, Options{Length: 61})
	wantError(t, err, "--length is 61", "c.wav, has 60 samples")
	f, ds, _ := found(t, dir, Options{Length: 40, As: Signals})
	if f.Len != 3 || f.Shape.W != 40 || !slices.Equal(gather(ds)[:40], gather(ds)[80:]) {
		t.Errorf("%+v", f.Summary)
	}
	for _, part := range []string{"passed over 1 WAV file of fewer samples", "(d.wav)",
		"the first 40 samples of 2 that are longer (a.wav, c.wav)"} {
		if !strings.Contains(f.Summary.String(), part) {
			t.Errorf("%q does not say %q", f.Summary, part)
		}
	}
	if got := mustOpen(t, dir, Options{Length: 40, SampleRate: 8000}); got.Len() != 3 {
		t.Errorf("%d signals with the rate of a run", got.Len())
	}
}

// Pictures beside WAV files are the data unless signals are asked for; what cannot be read or mixed
// is refused, naming the files.
func TestSoundsErrors(t *testing.T) {
	good := tone(50, 1, 8000, 0.1)
	dir := folderOf(t, map[string][]byte{
		"a.wav": good, "b.wav": good, "a.png": sample(t, "gray.png"),
		"b.png": sample(t, "gray.png"),
	})
	if f, _, _ := found(t, dir, Options{}); f.Kind != Pictures ||
		!strings.Contains(f.Summary.String(), "passed over 2 WAV files") {
		t.Errorf("%v", f.Summary)
	}
	if f, _, _ := found(t, dir, Options{As: Signals}); f.Kind != Signals ||
		!strings.Contains(f.Summary.String(), "passed over 2 pictures") {
		t.Errorf("%v", f.Summary)
	}
	for _, c := range []struct {
		files map[string][]byte
		opt   Options
		want  []string
	}{
		{map[string][]byte{"a.wav": good, "b.wav": tone(50, 2, 8000, 0.1)}, Options{},
			[]string{"a.wav has 1 channel of 8,000 Hz, and b.wav has 2 channels of 8,000 Hz"}},
		{map[string][]byte{"a.wav": good, "b.wav": tone(50, 1, 4000, 0.1)}, Options{},
			[]string{"b.wav has 1 channel of 4,000 Hz", "convert them first"}},
		{map[string][]byte{"a.wav": good, "b.wav": good[:60], "c.wav": good}, Options{},
			[]string{"1 of 3 WAV files is broken: b.wav (is cut off", "--skip-broken"}},
		{map[string][]byte{"a.wav": good, "b.wav": good, "c.wav": []byte("text")}, Options{},
			[]string{"c.wav (is text)"}},
		{map[string][]byte{"a.wav": good, "b.wav": good}, Options{SampleRate: 9},
			[]string{"--sample-rate is 9"}},
		{map[string][]byte{"a.wav": good, "b.wav": good}, Options{Size: 9},
			[]string{"--size and --gray apply only to pictures"}},
		{map[string][]byte{"a.wav": good, "b.wav": good}, Options{As: Pictures},
			[]string{"holds no images; passed over 2 WAV files"}},
		{map[string][]byte{"a.png": sample(t, "gray.png")}, Options{As: Signals},
			[]string{"holds no images; passed over 1 picture", "expected WAV files"}},
		{map[string][]byte{"a.wav": good}, Options{}, []string{"expected at least 2"}},
	} {
		_, err := Open(t.Context(), folderOf(t, c.files), c.opt)
		wantError(t, err, c.want...)
	}
	left := folderOf(t, map[string][]byte{"a.wav": good, "b.wav": good[:60], "c.wav": good})
	f, ds, _ := found(t, left, Options{SkipBroken: true})
	if ds.Len() != 2 || ds.Origin(1).File != "c.wav" ||
		!strings.Contains(f.Summary.String(), "passed over 1 broken WAV file (b.wav)") {
		t.Errorf("%v", f.Summary)
	}
	_, err := Open(t.Context(), write(t, t.TempDir(), "one.wav", good), Options{})
	wantError(t, err, "one.wav: is a WAV file; expected")
}
