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
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// In each step on its minibatch, each of the 360 rows passes the decoder once, and the score
// network once for each draw. During the prior's warm-up only the decoder is evaluated.
func TestEvaluations(t *testing.T) {
	c := smallRun()
	c.Epochs, c.ScoreDraws = 1, 2
	for warmup, want := range map[int]string{
		0:                       "evaluations:2160 ",
		runBatches * runRepeats: "evaluations:720 ",
	} {
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

// recorder records the minibatches that a method trains on.
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
			t.Errorf("step %d: minibatch %d, repeat %d, progress %v",
				i, b.Number, b.Repeat, b.Progress)
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
			t.Errorf("datapoint %d visited %d times, expected %d",
				m, visits[m], runEpochs*runRepeats)
		}
	}
}

// diverge trains, with a checkpoint after each step, at a learning rate at which the run must
// diverge, and returns its directory.
func diverge(t *testing.T, lr float64) (dir string) {
	t.Helper()
	c := smallRun()
	c.Optimizer, c.LR, c.DecoderDecay = "sgd", lr, 0
	c.Batch, c.BatchRepeats, c.EvalEvery = 180, 1, 0
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

// A run that New or Resume refuses leaves no goroutines behind (TestMain checks that).
func TestRefused(t *testing.T) {
	for what, change := range map[string]func(*config.Config){
		"data":          func(c *config.Config) { c.Data = "no-such-data" },
		"configuration": func(c *config.Config) { c.Epochs = -1 },
		"split":         func(c *config.Config) { c.Holdout = 0.9999 },
	} {
		c := smallRun()
		change(&c)
		if _, err := New(context.Background(), c, t.TempDir()); err == nil {
			t.Errorf("wrong %s: no error", what)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := New(context.Background(), smallRun(), missing); err == nil {
		t.Error("no run directory: no error")
	}
	if _, err := Resume(context.Background(), t.TempDir(), smallRun()); err == nil {
		t.Error("nothing to resume: no error")
	}
}
