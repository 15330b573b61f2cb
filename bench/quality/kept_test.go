package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake reaches the target of 2 at epochs; it counts its trainings.
type fake struct {
	epochs, trainings int
	err               error
}

func (f *fake) name() string { return fmt.Sprint("fake ", f.epochs) }

func (f *fake) train(_ context.Context, epochs int, seed uint64) (outcome, error) {
	f.trainings++
	return outcome{FD: 2 * float64(f.epochs) / float64(epochs), Seconds: float64(epochs)}, f.err
}

func testBench(t *testing.T, path string) *bench {
	t.Helper()
	k, err := openKept(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.close() })
	return &bench{
		target: 2, seeds: threeSeeds, precision: "float32", cpu: "C", threads: 2, kept: k,
		tell: func(training, outcome, bool) {},
	}
}

// TestKept: a search that was interrupted trains only what is not in the file, even if the last
// line was not written to its end.
func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept")
	first := &fake{epochs: 30}
	before, err := testBench(t, path).compare(t.Context(), []contestant{first})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-5], 0o666); err != nil {
		t.Fatal(err)
	}
	again := &fake{epochs: 30}
	after, err := testBench(t, path).compare(t.Context(), []contestant{again})
	if err != nil || after[0].epochs != before[0].epochs {
		t.Errorf("%+v, %v; want %+v", after, err, before)
	}
	if want := len(threeSeeds) + 1; again.trainings != want || first.trainings <= want {
		t.Errorf("%d trainings, then %d; want %d", first.trainings, again.trainings, want)
	}
	whole, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(whole)) != strings.TrimSpace(string(text)) {
		t.Errorf("the file differs from that of an uninterrupted search (%v):\n%s", err, whole)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := openKept(path); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("error %v of a file that is something else", err)
	}
}

// TestCompare: the trainings after the search count, and a contestant that misses the target is in
// the table without a time.
func TestCompare(t *testing.T) {
	b := testBench(t, "")
	results, err := b.compare(t.Context(), []contestant{&fake{epochs: 1000000}, &fake{epochs: 10}})
	if err != nil {
		t.Fatal(err)
	}
	text := b.markdown(results)
	for _, want := range []string{
		"| fake 1000000 | not reached | |",
		"| fake 10 | 10.0 | 10.0, 10.0, 10.0 | 10 | 2.00 ± 0.00 |\n",
		"2 threads", "float32", "PCA-64 FD of 2;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	bad := errors.New("bad")
	if _, err := b.compare(t.Context(), []contestant{&fake{err: bad}}); !errors.Is(err, bad) {
		t.Errorf("error %v, want that of the training", err)
	}
}

func TestSpread(t *testing.T) {
	if mean, s := spread([]float64{1, 2, 3}); mean != 2 || math.Abs(s-1) > 1e-15 {
		t.Errorf("%v ± %v", mean, s)
	}
	if mean, s := spread([]float64{5}); mean != 5 || s != 0 {
		t.Errorf("of one number %v ± %v", mean, s)
	}
}

// TestUnlike: the script refuses a configuration that it is not written for, and takes the default.
func TestUnlike(t *testing.T) {
	m, err := newMeasurer(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := native{m, "vae+diffusion", "float32"}.resolved(7, 5)
	if err != nil || unlike(c) != nil || c.Epochs != 7 || c.Seed != 5 || c.Threads != 1 {
		t.Errorf("%v, %v: %+v", err, unlike(c), c)
	}
	c.Optimizer = "sgd"
	if err := unlike(c); err == nil || !strings.Contains(err.Error(), "optimizer") {
		t.Errorf("error %v of another optimiser", err)
	}
}

func TestCheck(t *testing.T) {
	good := bench{target: 2, seeds: threeSeeds, precision: "bf16", threads: 2}
	if err := good.check(nil); err != nil {
		t.Error(err)
	}
	for i, spoil := range []func(*bench){
		func(b *bench) { b.target = math.NaN() }, func(b *bench) { b.seeds = nil },
		func(b *bench) { b.precision = "half" }, func(b *bench) { b.threads = 0 },
	} {
		b := good
		if spoil(&b); b.check(nil) == nil {
			t.Errorf("case %d: no error", i)
		}
	}
	if good.check([]string{"x"}) == nil {
		t.Error("no error of an argument")
	}
}
