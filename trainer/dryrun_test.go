package trainer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// content is the files below dir and what they hold.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parts is the memory of a run but for the program, which grows with what the process has done.
func parts(m run.Memory) (all []memory.Part) {
	for _, p := range m.Parts {
		if p.Name != "program" {
			all = append(all, p)
		}
	}
	return all
}

// stateBytes is the size of the method's tensors in the newest checkpoint.
func stateBytes(t *testing.T, dir string) (size int64) {
	t.Helper()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := checkpoint.OpenState(latest)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, e := range f.Entries() {
		if e.Name != "epoch/sums" {
			size += e.Bytes
		}
	}
	return size
}

// A dry run forecasts what a run then has: its steps, reports, memory and checkpoints. Neither a
// new place nor a run that goes on is changed by it.
func TestDryRunForecasts(t *testing.T) {
	c := smallRun()
	for _, l := range []Limits{{}, {Steps: runBatches*runRepeats + 1}, {Steps: 2 * runSteps / 3}} {
		dir := filepath.Join(t.TempDir(), "none", "run")
		f, err := DryRun(t.Context(), c, dir, Limited(l))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a dry run made the directory: %v", err)
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		new := func(o ...Option) (*Trainer, error) {
			return New(context.Background(), c, dir, o...)
		}
		steps := runSteps
		if l.Steps == 0 {
			session(t, new, -1)
		} else {
			steps = limitedSession(t, new, l).Steps
		}
		pictures, err := filepath.Glob(filepath.Join(dir, "samples", "step-*.png"))
		if err != nil || f.Reports != len(pictures) {
			t.Errorf("%+v: %d reports forecast, %d made, %v", l, f.Reports, len(pictures), err)
		}
		info, err := run.ReadInfo(dir)
		if err != nil || !reflect.DeepEqual(parts(f.Memory), parts(*info.Memory)) {
			t.Errorf("%+v: memory %v, expected %v, %v", l, f.Memory, info.Memory, err)
		}
		if f.Steps != runSteps || f.Last != steps || f.Done != 0 || f.Timed < 1 ||
			f.StepSeconds <= 0 || f.Seconds < f.StepSeconds {
			t.Errorf("%+v: forecast %+v", l, f)
		}
		if size := stateBytes(t, dir); f.Checkpoint != size {
			t.Errorf("checkpoints of %d bytes forecast; expected %d", f.Checkpoint, size)
		}
	}
}

func TestDryRunOfAStoredRun(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	startRun(t, dir, c, 5)
	before := content(t, dir)
	f, err := DryRun(t.Context(), c, dir)
	if err != nil || f.Done != 5 || f.Last != runSteps || f.Timed > runSteps-5 {
		t.Errorf("forecast %+v, %v", f, err)
	}
	if !reflect.DeepEqual(content(t, dir), before) {
		t.Error("the dry run changed the run")
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, train(t, c)) {
		t.Error("the dry run changed the result")
	}
	f, err = DryRun(t.Context(), c, dir)
	if err != nil || f.Done != runSteps || f.Timed != 0 || f.Reports != 0 || f.Seconds != 0 {
		t.Errorf("of a finished run: forecast %+v, %v", f, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Latest(dir); err == nil {
		t.Fatal("a checkpoint is left")
	}
	if _, err := DryRun(t.Context(), c, dir); err == nil {
		t.Error("no error for a finished run without its checkpoints")
	}
}

// Both stages of a method in two stages are timed, and counted by their steps.
func TestDryRunOfStages(t *testing.T) {
	c, err := method.DefaultFor("two-stage")
	if err != nil {
		t.Fatal(err)
	}
	small := smallRun()
	c.Data, c.Holdout, c.Batch, c.Epochs = small.Data, small.Holdout, small.Batch, small.Epochs
	c.Latent, c.DecoderWidths, c.EncoderWidths = 4, []int{16}, []int{16}
	c.ScoreWidth, c.ScoreBlocks, c.Threads = 16, 1, 1
	c.CheckpointEvery = config.EveryEpochs(2)
	f, err := DryRun(t.Context(), c, t.TempDir())
	if err != nil || f.Timed < 2 || f.Timed >= f.Steps {
		t.Errorf("forecast %+v, %v; expected steps of two stages", f, err)
	}
}

func TestDryRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := DryRun(ctx, smallRun(), t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
