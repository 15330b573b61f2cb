package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/wav"
)

// tones writes WAV files of 64 samples of two channels, 8,000 a second, and returns their loudest
// value.
func tones(t *testing.T, dir string) float64 {
	t.Helper()
	loudest := 0.0
	for i := range 60 {
		x := make([]float32, 2*64)
		for j := range x {
			x[j] = float32(0.02 * math.Sin(float64(i)+0.3*float64(j/2)) * float64(1+j%2))
			loudest = max(loudest, math.Abs(float64(x[j])))
		}
		raw, _ := wav.Encode(x, 2, 8000)
		name := filepath.Join(dir, "sounds", string(rune('a'+i/30)), fmt.Sprintf("%02d.wav", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return loudest
}

// A run on WAV files is trained by convolutions, goes on where it ended, fills in samples that are
// missing, and writes what it draws as WAV files as loud as those.
func TestSounds(t *testing.T) {
	dir := t.TempDir()
	loudest := tones(t, dir)
	plume := func(want string, args ...string) {
		t.Helper()
		out, err := inDir(t, dir, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("plume %s: %v; expected %q:\n%s", strings.Join(args, " "), err, want, out)
		}
	}
	plume("Read 60 signals of 64 samples (8000 Hz, 0.008 s), 2 channels", "train", "--data",
		"sounds", "--epochs", "2", "--batch", "20", "--latent-shape", "1,4,2",
		"--decoder-channels", "8,8,8,8,8", "--unet-channels", "8", "--score-width", "8",
		"--eval-samples", "20", "--threads", "2", "--out", "run")
	plume("conv decoder from 1 x 4 x 2 to 1 x 64 x 2", "train", "--resume", "run", "--epochs", "3")
	plume("out/", "sample", "run", "-n", "3", "-o", "out/")
	plume("i.png", "impute", "run", "-n", "2", "--hole", "8,16", "-o", "i.png")
	files, err := filepath.Glob(filepath.Join(dir, "out", "*.wav"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v; expected three WAV files", files, err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := wav.ReadHeader(bytes.NewReader(raw))
		if err != nil || h.Rate != 8000 || h.Channels != 2 || h.Samples != 64 {
			t.Fatalf("%+v: %v", h, err)
		}
		x := make([]float32, 128)
		if err := h.Read(bytes.NewReader(raw), x); err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			// The decoder knows little yet, but the scale is that of the sounds.
			if math.Abs(float64(v)) > 5*loudest {
				t.Fatalf("%s: sample %d is %v, those of the data at most %v", name, i, v, loudest)
			}
		}
	}
}

// Holes of signals are samples of all channels, by two numbers or as rectangles of one row.
func TestParseHoleOfSignals(t *testing.T) {
	shape := data.Shape{H: 1, W: 5, C: 2}
	for _, text := range []string{"1,3", "1,0,3,1"} {
		hole, err := parseHole(text, shape)
		if err != nil {
			t.Fatal(err)
		}
		for i, missing := range hole.At {
			if missing != (2 <= i && i < 8) {
				t.Errorf("%s: number %d is missing: %v", text, i, missing)
			}
		}
	}
	for _, text := range []string{"1", "1,5", "-1,2", "1,0", "x,2", "1,2,3"} {
		_, err := parseHole(text, shape)
		if err == nil || !strings.Contains(err.Error(), "expected X,W: the first of the samples") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := parseHole("1,3", data.Shape{H: 4, W: 5, C: 1}); err == nil {
		t.Error("two numbers are a hole of pictures")
	}
}
