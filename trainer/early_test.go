package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// lowest is the step of the lowest number so far and the step at which patience ends, by the plain
// reading of the rule; 0: it does not end.
func lowest(records []record.Epoch, s EarlyStop) (best, end int) {
	low, since := math.Inf(1), 0
	for _, e := range records {
		v := s.value(e)
		if v == nil {
			continue
		}
		if since++; float64(*v) < low {
			low, best, since = float64(*v), e.Step, 0
		}
		if s.Patience > 0 && since == s.Patience {
			return best, e.Step
		}
	}
	return best, 0
}

// overfitting is a run whose number for held-out rows falls and rises again.
func overfitting() config.Config {
	c := smallRun()
	c.Epochs, c.EvalEvery, c.KeepCheckpoints, c.CheckpointEvery = 40, 1, 1, config.EveryEpochs(7)
	c.Likelihood = config.GaussianLikelihood // a clipped decoder falls for fewer epochs here
	return c
}

// A run stops early where its records say, in one session or in several, with the checkpoint at
// the lowest number as the best. Until then it is the run without the rule.
func TestEarlyStop(t *testing.T) {
	c := overfitting()
	whole := train(t, c)
	records, err := run.ReadRecords(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []EarlyStop{{"heldout_nats", 2}, {"heldout_mse", 3}, {"pca64_fd", 2}} {
		best, end := lowest(records, s)
		if end == 0 || end == best {
			t.Fatalf("%+v: the run does not stop, so nothing is tested", s)
		}
		for _, stops := range [][]int{nil, {best}, {best + 3, best + 4}, {end - 1}} {
			dir := t.TempDir()
			for i, stop := range append(stops, -1) {
				session(t, func(o ...Option) (*Trainer, error) {
					if o = append(o, StopEarly(s)); i == 0 {
						return New(context.Background(), c, dir, o...)
					}
					return Resume(context.Background(), dir, c, o...)
				}, stop)
			}
			checkStopped(t, dir, best, end)
			got, want := metricsOf(t, dir), metricsOf(t, whole)
			if strings.Join(got, "\n") != strings.Join(want[:len(got)], "\n") {
				t.Errorf("%+v, interrupted after %v: other records", s, stops)
			}
		}
	}
}

// checkStopped expects a run that stopped early, with its best checkpoint.
func checkStopped(t *testing.T, dir string, best, end int) {
	t.Helper()
	found, err := checkpoint.Best(dir)
	if err != nil || found.Step != best || found.Problem != nil {
		t.Errorf("%s: the best checkpoint is %+v, %v; expected step %d", dir, found, err, best)
	}
	all, err := checkpoint.List(dir)
	if err != nil || len(all) != 2 || all[0].Step != end {
		t.Errorf("checkpoints %+v, %v; expected the newest of step %d and the best", all, err, end)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || info.Finished == nil || !strings.Contains(info.Ended, "was lowest at step") {
		t.Errorf("run.json has %v, %q, %v", info.Finished, info.Ended, err)
	}
}

// With no patience but a best checkpoint to keep, the run goes to its end; without the rule there
// is none. What a session without the rule does is not held against the best.
func TestBestWithoutStopping(t *testing.T) {
	c := overfitting()
	c.Epochs = 6
	s := EarlyStop{Metric: "heldout_mse"}
	dir := t.TempDir()
	session(t, func(o ...Option) (*Trainer, error) {
		return New(context.Background(), c, dir, append(o, StopEarly(s))...)
	}, -1)
	records, err := run.ReadRecords(dir)
	if err != nil || len(records) != c.Epochs {
		t.Fatalf("%d records, %v", len(records), err)
	}
	best, _ := lowest(records, s)
	if found, err := checkpoint.Best(dir); err != nil || found.Step != best {
		t.Errorf("the best checkpoint is %+v, %v; expected step %d", found, err, best)
	}
}

// While a number falls from epoch to epoch, the best is saved as often as the run's checkpoints. A
// run that is killed in between, and resumed, has the same best in the end.
func TestBestIsSavedRarely(t *testing.T) {
	c := overfitting()
	c.EvalSamples = 0
	s := EarlyStop{"heldout_mse", 3}
	whole := t.TempDir()
	saves, killed := 0, map[int]string{}
	tr, err := New(context.Background(), c, whole, StopEarly(s), WithHook(Hook{
		OnCheckpoint: func(int, string) { saves++ },
		OnEpoch: func(e record.Epoch) {
			if e.Epoch == 9 || e.Epoch == 20 { // as a kill leaves it
				killed[e.Epoch] = t.TempDir()
				if err := os.CopyFS(killed[e.Epoch], os.DirFS(whole)); err != nil {
					t.Error(err)
				}
			}
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(context.Background()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	records, err := run.ReadRecords(whole)
	best, end := lowest(records, s)
	if err != nil || end == 0 || best < records[19].Step || len(killed) != 2 {
		t.Fatalf("%v; best at step %d, end at %d, %d copies: nothing is tested", err, best, end,
			len(killed))
	}
	checkStopped(t, whole, best, end)
	// Each of checkpoint_every is two at most, and so is the end.
	if most := 2 * (len(records)/c.CheckpointEvery.Epochs + 1); saves > most {
		t.Errorf("%d saves in %d epochs; expected %d at most", saves, len(records), most)
	}
	for epoch, dir := range killed {
		session(t, func(o ...Option) (*Trainer, error) {
			return Resume(context.Background(), dir, c, append(o, StopEarly(s))...)
		}, -1)
		checkStopped(t, dir, best, end)
		if left, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*tmp*")); len(left) > 0 {
			t.Errorf("killed after epoch %d: %q are left, %v", epoch, left, err)
		}
	}
}

func TestEarlyStopRefused(t *testing.T) {
	none, rare := smallRun(), smallRun()
	none.Holdout, rare.EvalEvery = 0, 0
	for want, test := range map[string]struct {
		c config.Config
		s EarlyStop
	}{
		"expected one of heldout_nats, heldout_mse, pca64_fd": {smallRun(), EarlyStop{"mse", 1}},
		"expected 0 or more":                  {smallRun(), EarlyStop{"heldout_mse", -1}},
		"the run holds no rows out":           {none, EarlyStop{"heldout_nats", 1}},
		"eval_samples and eval_every above 0": {rare, EarlyStop{"pca64_fd", 1}},
	} {
		tr, err := New(context.Background(), test.c, t.TempDir(), StopEarly(test.s))
		if err == nil {
			tr.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, expected %q", test.s, err, want)
		}
	}
}
