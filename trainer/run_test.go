package trainer

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Every test of the package must end the goroutines that it started: those of a trainer end
// with Close.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		runToBeKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// The shape of the runs below: 180 digits in 7 minibatches of 25 or 26, each taken twice.
const (
	runEpochs  = 3
	runBatches = 7
	runRepeats = 2
	runSteps   = runEpochs * runBatches * runRepeats
)

// smallRun is a configuration that trains in a moment and that keeps everything in use that a
// checkpoint must hold.
func smallRun() config.Config {
	c := method.Default()
	c.Data, c.Holdout, c.Batch, c.Epochs, c.Tile, c.Threads = "digits", 0.9, 28, runEpochs, 8, 1
	c.Latent, c.DecoderWidths, c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 4, []int{16}, 16, 1, 8
	c.Particles, c.BatchRepeats, c.CatchUp, c.ScaleAnchor, c.PriorWarmup = 2, runRepeats, 3, 1, 9
	c.StepSize, c.StepSizeEnd, c.LR = 0.03, 0.01, 5e-3 // large, so that the cloud widens and the anchor acts
	c.Solver, c.SolverSteps, c.EvalSamples, c.EvalEvery, c.KeepCheckpoints = "dpm++2m", 3, 50, 2, 0
	c.CheckpointEvery = config.EveryEpochs(2)
	return c
}

// session is one life of a run: it ends by itself, or after the given step (-1: before the
// first; the run must then be interrupted).
func session(t *testing.T, prepare func(...Option) (*Trainer, error), stop int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if stop == 0 {
		cancel()
	}
	tr, err := prepare(WithHook(Hook{OnStep: func(p record.Progress) {
		if p.Step == stop {
			cancel()
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Run(ctx)
	if stop < 0 && err != nil || stop >= 0 && !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stop at %d: Run returned %v", stop, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// train runs c in a new directory with interruptions after the given steps, and returns the
// directory. Each session has another number of threads.
func train(t *testing.T, c config.Config, stops ...int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, stop := range append(stops, -1) {
		session(t, func(o ...Option) (*Trainer, error) {
			if i == 0 {
				return New(context.Background(), c, dir, o...)
			}
			c.Threads = 1 + i%3
			return Resume(context.Background(), dir, c, o...)
		}, stop)
	}
	return dir
}

// finalState is the bytes of the newest checkpoint's arrays.
func finalState(t *testing.T, dir string) []byte {
	t.Helper()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(latest, "state.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// metricsOf is metrics.jsonl without times and rates.
func metricsOf(t *testing.T, dir string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		delete(record, "seconds")
		delete(record, "step_seconds")
		delete(record, "checkpoint_seconds")
		delete(record, "rows_per_s")
		lines = append(lines, fmt.Sprint(record)) // keys in order
	}
	return lines
}

// Stopped and resumed equals uninterrupted, bit for bit, wherever and however often it stops:
// before the first step, between repeats, between minibatches, at the end of an epoch.
func TestResumeEqualsUninterrupted(t *testing.T) {
	for _, dynamics := range []particle.Dynamics{particle.Underdamped, particle.Overdamped} {
		c := smallRun()
		c.Dynamics = dynamics
		want := train(t, c)
		wantState, wantMetrics := finalState(t, want), metricsOf(t, want)
		if len(wantMetrics) != runEpochs {
			t.Fatalf("%d lines in metrics.jsonl after %d epochs", len(wantMetrics), runEpochs)
		}
		if strings.Contains(wantMetrics[2], "anchor:0 ") {
			t.Errorf("%s: the anchor did not act, so its state is not tested", dynamics)
		}
		const epoch = runBatches * runRepeats
		for _, stops := range [][]int{{0}, {1}, {2}, {epoch}, {epoch + 5}, {2 * epoch}, {runSteps - 1}, {1, 2, 3, epoch - 1, epoch, 2*epoch + 7}} {
			got := train(t, c, stops...)
			if !bytes.Equal(finalState(t, got), wantState) {
				t.Errorf("%s, interrupted after %v: another final state", dynamics, stops)
			}
			if m := metricsOf(t, got); !slices.Equal(m, wantMetrics) {
				t.Errorf("%s, interrupted after %v: metrics\n%s\nwithout interruption\n%s", dynamics, stops, strings.Join(m, "\n"), strings.Join(wantMetrics, "\n"))
			}
		}
	}
}

// Each of 360 rows passes the decoder once and the score network once for each draw, in each of the
// steps on its minibatch; a prior that is held is not evaluated.
func TestEvaluations(t *testing.T) {
	c := smallRun()
	c.Epochs, c.ScoreDraws = 1, 2
	for warmup, want := range map[int]string{0: "evaluations:2160 ", runBatches * runRepeats: "evaluations:720 "} {
		c.PriorWarmup = warmup
		if lines := metricsOf(t, train(t, c, 3)); !strings.Contains(lines[0], want) {
			t.Errorf("warm-up of %d steps: %s, want %s", warmup, lines[0], want)
		}
	}
}

func TestSameStateAtAnyNumberOfThreads(t *testing.T) {
	var want []byte
	for _, threads := range []int{1, 2, 3, 8} {
		c := smallRun()
		c.Threads = threads
		got := finalState(t, train(t, c))
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d threads: another final state than with one", threads)
		}
	}
	c := smallRun()
	c.Seed++
	if bytes.Equal(finalState(t, train(t, c)), want) {
		t.Error("another seed gives the same state")
	}
}

// recorder notes what a method is asked to train on.
type recorder struct {
	method.Method
	seen []method.Minibatch
}

func (r *recorder) Step(b method.Minibatch) (method.Stats, error) {
	b.Index = slices.Clone(b.Index)
	r.seen = append(r.seen, b)
	return r.Method.Step(b)
}

// Each minibatch is taken batch_repeats times in a row; each epoch covers the data once.
func TestMinibatches(t *testing.T) {
	tr, err := New(context.Background(), smallRun(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	r := &recorder{Method: tr.method}
	tr.method = r
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.seen) != runSteps {
		t.Fatalf("%d steps, expected %d", len(r.seen), runSteps)
	}
	visits := map[int]int{}
	for i, b := range r.seen {
		number, repeat := i/runRepeats, i%runRepeats
		if int(b.Number) != number || b.Repeat != repeat || b.Progress != float64(i)/runSteps {
			t.Errorf("step %d: minibatch %d, repeat %d, progress %v", i, b.Number, b.Repeat, b.Progress)
		}
		if first := r.seen[number*runRepeats].Index; !slices.Equal(b.Index, first) {
			t.Errorf("step %d: repeat %d is of other datapoints", i, repeat)
		}
		if slices.Equal(b.Index, r.seen[(number+runBatches)*runRepeats%runSteps].Index) {
			t.Errorf("step %d: the next epoch has the same minibatch", i)
		}
		for _, m := range b.Index {
			visits[m]++
		}
	}
	for m := range 180 {
		if visits[m] != runEpochs*runRepeats {
			t.Errorf("datapoint %d visited %d times, expected %d", m, visits[m], runEpochs*runRepeats)
		}
	}
}

// writeIDX writes n images of 3 x 3 whose first pixel is as given.
func writeIDX(t *testing.T, path string, n int, first byte) {
	t.Helper()
	raw := []byte{0, 0, 8, 3}
	for _, size := range []int{n, 3, 3} {
		raw = binary.BigEndian.AppendUint32(raw, uint32(size))
	}
	for i := range n * 9 {
		raw = append(raw, byte(37*i))
	}
	raw[16] = first
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeNPY writes n blank gray images of side x side pixels.
func writeNPY(t *testing.T, path string, n, side int) {
	t.Helper()
	if err := npy.WriteFile(path, make([]float32, n*side*side), n, side, side, 1); err != nil {
		t.Fatal(err)
	}
}

// A run goes on only with the data it began with, down to a pixel.
func TestResumeRefusesOtherData(t *testing.T) {
	c := smallRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(t.TempDir(), "images"), 0.2, 10
	writeIDX(t, c.Data, 50, 1)
	dir := t.TempDir()
	session(t, func(o ...Option) (*Trainer, error) { return New(context.Background(), c, dir, o...) }, 3)
	for _, test := range []struct {
		change func()
		want   string
	}{
		{func() { writeIDX(t, c.Data, 50, 2) }, "as many images as then, 50, but with other pixels or in another order"},
		{func() { writeIDX(t, c.Data, 62, 1) }, "holds 62 images, 12 more than then"},
		{func() { writeIDX(t, c.Data, 2, 1) }, "holds 2 images, 48 fewer than then"},
		{func() { writeNPY(t, c.Data, 50, 4) }, "holds images of 4 x 4, expected 3 x 3"},
		{func() { os.Remove(c.Data) }, "which is not there: say with --data"},
	} {
		test.change()
		if tr, err := Resume(context.Background(), dir, c); err == nil {
			tr.Close()
			t.Errorf("resumed in spite of %q", test.want)
		} else if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "tensor") {
			t.Errorf("%v; expected %q", err, test.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "run.json")); err != nil { // which tells most
		t.Fatal(err)
	}
	writeIDX(t, c.Data, 62, 1)
	if _, err := Resume(context.Background(), dir, c); err == nil || !strings.Contains(err.Error(), "has the fingerprint") {
		t.Errorf("%v; expected other fingerprints", err)
	}
	writeIDX(t, c.Data, 50, 1)
	session(t, func(o ...Option) (*Trainer, error) { return Resume(context.Background(), dir, c, o...) }, -1)
}

// diverge trains, with a checkpoint after each step, at a learning rate that must make Run say
// that the run diverged, and returns its directory.
func diverge(t *testing.T, lr float64) (dir string) {
	t.Helper()
	c := smallRun()
	c.Optimizer, c.LR, c.DecoderDecay, c.Batch, c.BatchRepeats, c.EvalEvery = "sgd", lr, 0, 180, 1, 0
	c.CheckpointEvery = config.EveryEpochs(1)
	c.DivergenceRetries = 0
	dir = t.TempDir()
	tr, err := New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Run(t.Context()); !errors.Is(err, ErrDiverged) {
		t.Fatalf("Run returned %v, expected ErrDiverged", err)
	}
	return dir
}

// A diverged run says so, and leaves its last checkpoint as it was.
func TestDivergedKeepsTheCheckpoint(t *testing.T) {
	dir := diverge(t, 1e17)
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(latest); got != "step-000001" {
		t.Errorf("the newest checkpoint is %s, expected that of the epoch before", got)
	}
	entries, err := os.ReadDir(filepath.Dir(latest))
	if err != nil || len(entries) != 2 { // it and the link
		t.Errorf("checkpoints hold %v, %v", entries, err)
	}
	if info, err := run.ReadInfo(dir); err != nil || info.Finished != nil {
		t.Errorf("the run counts as finished: %v, %v", info.Finished, err)
	}
}

// Parameters that overflow in a step whose own loss is finite never reach a checkpoint.
func TestDivergedIsNotSaved(t *testing.T) {
	dir := diverge(t, 3e38)
	if latest, err := checkpoint.Latest(dir); err == nil {
		t.Errorf("%s was saved", latest)
	}
}

// What decides a run's result cannot change when it goes on.
func TestResumeRefusesAnotherConfiguration(t *testing.T) {
	c := smallRun()
	dir := t.TempDir()
	session(t, func(o ...Option) (*Trainer, error) { return New(context.Background(), c, dir, o...) }, 3)
	c.Seed++
	if tr, err := Resume(context.Background(), dir, c); err == nil {
		tr.Close()
		t.Error("resumed with another seed")
	} else if !strings.Contains(err.Error(), "seed = 2") {
		t.Errorf("error %q: expected the key", err)
	}
}

// A checkpoint knows its own configuration and place: neither an edited config.toml nor another
// place leads a run astray; an edited meta.json is damage.
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
	session(t, func(o ...Option) (*Trainer, error) { return New(context.Background(), c, dir, o...) }, runBatches*runRepeats+3)

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

// What bends a run is said.
func TestResumeWarns(t *testing.T) {
	c := smallRun()
	dir := t.TempDir()
	session(t, func(o ...Option) (*Trainer, error) { return New(context.Background(), c, dir, o...) }, 3)
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
	tr, err := Resume(context.Background(), dir, c, WithHook(Hook{OnWarning: func(s string) { warnings = append(warnings, s) }}))
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

// What New and Resume refuse leaves no goroutines behind, which TestMain sees.
func TestRefused(t *testing.T) {
	for what, change := range map[string]func(*config.Config){
		"data":          func(c *config.Config) { c.Data = "no-such-data" },
		"configuration": func(c *config.Config) { c.Epochs = 0 },
		"split":         func(c *config.Config) { c.Holdout = 0.9999 },
	} {
		c := smallRun()
		change(&c)
		if _, err := New(context.Background(), c, t.TempDir()); err == nil {
			t.Errorf("wrong %s: no error", what)
		}
	}
	if _, err := New(context.Background(), smallRun(), filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no run directory: no error")
	}
	if _, err := Resume(context.Background(), t.TempDir(), smallRun()); err == nil {
		t.Error("nothing to resume: no error")
	}
}

// A complete run stays complete; with more epochs it goes on.
func TestResumeComplete(t *testing.T) {
	c := smallRun()
	c.Epochs = 1
	dir := train(t, c)
	before := finalState(t, dir)
	session(t, func(o ...Option) (*Trainer, error) { return Resume(context.Background(), dir, c, o...) }, -1)
	if !bytes.Equal(finalState(t, dir), before) || len(metricsOf(t, dir)) != 1 {
		t.Error("resuming a complete run changed it")
	}
	c.Epochs = 2
	session(t, func(o ...Option) (*Trainer, error) { return Resume(context.Background(), dir, c, o...) }, -1)
	if bytes.Equal(finalState(t, dir), before) || len(metricsOf(t, dir)) != 2 {
		t.Error("with more epochs the run did not go on")
	}
}
