package trainer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/run"
)

// Stopped and resumed equals uninterrupted, bit for bit, wherever and however often it stops:
// before the first step, between repeats, between minibatches, at the end of an epoch.
func TestResumeEqualsUninterrupted(t *testing.T) {
	for _, dynamics := range []particle.Dynamics{particle.Underdamped, particle.Overdamped} {
		c := smallRun()
		if c.Dynamics = dynamics; dynamics == particle.Underdamped {
			c.Condition, c.ConditionDrop = config.OfBoth, 0.3
		}
		want := train(t, c)
		wantState, wantMetrics := finalState(t, want), metricsOf(t, want)
		if len(wantMetrics) != runEpochs {
			t.Fatalf("%d lines in metrics.jsonl after %d epochs", len(wantMetrics), runEpochs)
		}
		if strings.Contains(wantMetrics[2], "anchor:0 ") {
			t.Errorf("%s: the anchor did not act, so its state is not tested", dynamics)
		}
		const epoch = runBatches * runRepeats
		for _, stops := range [][]int{
			{0}, {1}, {2}, {epoch}, {epoch + 5}, {2 * epoch}, {runSteps - 1},
			{1, 2, 3, epoch - 1, epoch, 2*epoch + 7},
		} {
			got := train(t, c, stops...)
			if !bytes.Equal(finalState(t, got), wantState) {
				t.Errorf("%s, interrupted after %v: another final state", dynamics, stops)
			}
			if m := metricsOf(t, got); !slices.Equal(m, wantMetrics) {
				t.Errorf("%s, interrupted after %v: metrics\n%s\nwithout interruption\n%s",
					dynamics, stops, strings.Join(m, "\n"), strings.Join(wantMetrics, "\n"))
			}
		}
	}
}

// A run resumes only with the data that it began with, down to a pixel.
func TestResumeRefusesOtherData(t *testing.T) {
	c := smallRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(t.TempDir(), "images"), 0.2, 10
	writeIDX(t, c.Data, 50, 1)
	dir := t.TempDir()
	startRun(t, dir, c, 3)
	for _, test := range []struct {
		change func()
		want   string
	}{
		{
			func() { writeIDX(t, c.Data, 50, 2) },
			"as many images as then, 50, but with other pixels or in another order",
		},
		{func() { writeIDX(t, c.Data, 62, 1) }, "holds 62 images, 12 more than then"},
		{func() { writeIDX(t, c.Data, 2, 1) }, "holds 2 images, 48 fewer than then"},
		{func() { writeNPY(t, c.Data, 50, 4) }, "holds images of 4 x 4, expected 3 x 3"},
		{func() { os.Remove(c.Data) }, "which is not there: say with --data"},
	} {
		test.change()
		if tr, err := Resume(context.Background(), dir, c); err == nil {
			tr.Close()
			t.Errorf("resumed in spite of %q", test.want)
		} else if !strings.Contains(err.Error(), test.want) ||
			strings.Contains(err.Error(), "tensor") {
			t.Errorf("%v; expected %q", err, test.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "run.json")); err != nil { // it describes the data
		t.Fatal(err)
	}
	writeIDX(t, c.Data, 62, 1)
	_, err := Resume(context.Background(), dir, c)
	if err == nil || !strings.Contains(err.Error(), "has the fingerprint") {
		t.Errorf("%v; expected other fingerprints", err)
	}
	writeIDX(t, c.Data, 50, 1)
	resumeRun(t, dir, c, -1)
}

// Keys that decide a run's result cannot change when it is resumed.
func TestResumeRefusesAnotherConfiguration(t *testing.T) {
	c := smallRun()
	dir := t.TempDir()
	startRun(t, dir, c, 3)
	c.Seed++
	if tr, err := Resume(context.Background(), dir, c); err == nil {
		tr.Close()
		t.Error("resumed with another seed")
	} else if !strings.Contains(err.Error(), "seed = 2") {
		t.Errorf("error %q: expected the key", err)
	}
}

// A checkpoint holds its own configuration and place. A run whose config.toml was edited, or whose
// checkpoint has an impossible place, is refused; an edited meta.json is damage.
func TestResumeChecksTheCheckpoint(t *testing.T) {
	refused := func(dir string, c config.Config, what, want string) {
		t.Helper()
		tr, err := Resume(context.Background(), dir, c)
		if err == nil {
			tr.Close()
			t.Errorf("resumed with %s", what)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %q, expected %q", what, err, want)
		}
	}
	c := smallRun()
	dir := t.TempDir()
	startRun(t, dir, c, runBatches*runRepeats+3)

	edited := c
	edited.Seed++
	if err := (&run.Writer{Dir: dir, Files: file.OS}).StoreConfig(edited); err != nil {
		t.Fatal(err)
	}
	refused(dir, edited, "an edited seed", "seed = 2")
	if err := (&run.Writer{Dir: dir, Files: file.OS}).StoreConfig(c); err != nil {
		t.Fatal(err)
	}
	shorter := c
	shorter.Epochs = 1
	refused(dir, shorter, "fewer epochs than are done", "epochs = 1: expected 2 or more")

	tr, err := Resume(context.Background(), dir, c)
	if err != nil {
		t.Fatal(err)
	}
	tr.next.batch = 5
	err = errors.Join(tr.save(), tr.Close())
	if err != nil {
		t.Fatal(err)
	}
	refused(dir, c, "a wrong place", "batch 5")

	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(latest, "meta.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), `"batch": 5`, `"batch": 1`, 1)
	if err := os.WriteFile(path, []byte(wrong), 0o666); err != nil || wrong == string(text) {
		t.Fatal("could not edit the place: ", err)
	}
	refused(dir, c, "an edited place", "meta.json: damaged: changed since it was saved")
}

// Changes that alter a resumed run are warned about.
func TestResumeWarns(t *testing.T) {
	c := smallRun()
	dir := t.TempDir()
	startRun(t, dir, c, 3)
	info, err := run.ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	info.BLAS.Core = "Other"
	if err := (&run.Writer{Dir: dir, Files: file.OS}).StoreInfo(info); err != nil {
		t.Fatal(err)
	}
	c.Epochs = 2 * runEpochs
	var warnings []string
	tr, err := Resume(context.Background(), dir, c, warningsTo(&warnings))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	all := strings.Join(warnings, "\n")
	for _, want := range []string{"epochs = 6, was 3", "Other"} {
		if !strings.Contains(all, want) {
			t.Errorf("warnings %q, expected one of %q", all, want)
		}
	}
}

// Resuming a complete run changes nothing, unless it gets more epochs.
func TestResumeComplete(t *testing.T) {
	c := smallRun()
	c.Epochs = 1
	dir := train(t, c)
	before := finalState(t, dir)
	resumeRun(t, dir, c, -1)
	if !bytes.Equal(finalState(t, dir), before) || len(metricsOf(t, dir)) != 1 {
		t.Error("resuming a complete run changed it")
	}
	c.Epochs = 2
	resumeRun(t, dir, c, -1)
	if bytes.Equal(finalState(t, dir), before) || len(metricsOf(t, dir)) != 2 {
		t.Error("with more epochs the run did not go on")
	}
}
