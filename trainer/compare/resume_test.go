package compare

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// A comparison that was interrupted at any place and resumed gives the bits of one that was not,
// and evaluates no run twice.
func TestResume(t *testing.T) {
	whole, dir, calls := t.TempDir(), t.TempDir(), map[string]int{}
	if _, err := Run(t.Context(), small(t, whole, map[string]int{})); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, stop := range []int{7, 43, 1 << 30} {
		ctx, cancel := context.WithCancel(t.Context())
		o := small(t, dir, calls)
		o.Hook.OnStep = func(record.Progress) {
			if steps++; steps == stop {
				cancel()
			}
		}
		_, err := Run(ctx, o)
		stopped := stop < 1<<30
		if errors.Is(err, ErrInterrupted) != stopped || !stopped && err != nil {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		cancel()
	}
	if steps != 4*3*2*3 {
		t.Errorf("%d steps in all: expected none twice", steps)
	}
	for _, name := range smallRuns {
		if state(t, dir, name) != state(t, whole, name) || calls[name] != 1 {
			t.Errorf("%s: other bits, or evaluated %d times", name, calls[name])
		}
	}
	steps = 0
	o := small(t, dir, calls)
	o.Hook.OnStep = func(record.Progress) { steps++ }
	if r, err := Run(t.Context(), o); err != nil || steps > 0 || calls[smallRuns[0]] != 1 ||
		r.Rows[1].Done != 2 {
		t.Errorf("a comparison that is done: %v, %d steps", err, steps)
	}
}

// A process that is killed leaves a run without a checkpoint, or without its evaluation.
func TestResumeAfterKill(t *testing.T) {
	dir, calls := t.TempDir(), map[string]int{}
	if _, err := Run(t.Context(), small(t, dir, calls)); err != nil {
		t.Fatal(err)
	}
	unsaved := filepath.Join(dir, runsDir, smallRuns[1])
	unjudged := filepath.Join(dir, runsDir, smallRuns[2])
	want := state(t, dir, smallRuns[1])
	w := run.Writer{Dir: unsaved, Files: file.OS}
	err := errors.Join(
		w.Amend(func(info *run.Info) { info.Finished = nil }),
		os.RemoveAll(filepath.Join(unsaved, "checkpoints")),
		os.Remove(filepath.Join(unsaved, evalFile)),
		os.Remove(filepath.Join(unjudged, evalFile)),
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), small(t, dir, calls)); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{1, 2, 2, 1} {
		if calls[smallRuns[i]] != n {
			t.Errorf("%s evaluated %d times, expected %d", smallRuns[i], calls[smallRuns[i]], n)
		}
	}
	if state(t, dir, smallRuns[1]) != want {
		t.Error("the run that began again has other bits")
	}
}

// Only one process at a time works on a comparison. If two begin one at the same time, one fails.
func TestComparisonIsLocked(t *testing.T) {
	dir, calls := t.TempDir(), map[string]int{}
	held, err := run.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	locked := (*run.LockedError)(nil)
	if _, err := Run(t.Context(), small(t, dir, calls)); !errors.As(err, &locked) ||
		locked.Dir != dir {
		t.Errorf("%v; expected it to be locked", err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	o := small(t, dir, calls).withDefaults()
	plan, lock, err := o.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	lock, err = o.storePlan(plan, nil)
	if err == nil ||
		!strings.Contains(err.Error(), "another process has begun a comparison there meanwhile") {
		t.Errorf("a plan that another process stored: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestOtherPlanIsRefused(t *testing.T) {
	dir, calls := t.TempDir(), map[string]int{}
	if _, err := Run(t.Context(), small(t, dir, calls)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		t.Fatal(err)
	}
	base := small(t, dir, calls).Base
	for want, change := range map[string]func(o *Options){
		"budget: 6 epochs, was 3 epochs": func(o *Options) { o.Budget.Epochs = 6 },
		"seeds: [3], was [3 4]":          func(o *Options) { o.Seeds = o.Seeds[:1] },
		"metrics: [sliced], was [pca]": func(o *Options) {
			o.Metrics = []string{evaluate.Sliced}
		},
		"contestants: ipld, was ipld,pgd:lr=0.004": func(o *Options) {
			o.Contestants = o.Contestants[:1]
		},
		"ipld: batch: 50, was 60": func(o *Options) {
			o.Base = changed(base, "batch", "50")
		},
		"data fingerprint: ": func(o *Options) {
			o.Base = changed(base, "data", "fashion10k")
		},
		"pgd:lr=0.004: step_size: 0.25, was 0.003": func(o *Options) {
			o.Base = changed(base, "step_size", "0.25")
		},
	} {
		o := small(t, dir, calls)
		change(&o)
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrOtherPlan) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
	}
	o := small(t, dir, calls)
	o.Base = changed(base, "threads", "2")
	if _, err := Run(t.Context(), o); err != nil {
		t.Errorf("other threads: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil || string(after) != string(before) {
		t.Errorf("the plan changed: %v", err)
	}
}

func changed(
	base func(config.Method) (config.Config, error), key, value string,
) func(config.Method) (config.Config, error) {
	return func(name config.Method) (config.Config, error) {
		c, err := base(name)
		if err == nil {
			err = c.Key(key).Set(value)
		}
		return c, err
	}
}
