package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/run"
)

// kill makes a run as it is after a kill before its first checkpoint: with some records, and with
// the beginning of a checkpoint.
func kill(t *testing.T, c config.Config) (dir string) {
	t.Helper()
	dir = t.TempDir()
	tr, err := New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	err = os.MkdirAll(filepath.Join(dir, "checkpoints", ".tmp-1"), 0o777)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(`{"step":14}`+"\n"), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A run that starts again has the bits of one that was never killed, and loses no record.
func TestRestart(t *testing.T) {
	c := smallRun()
	want := finalState(t, train(t, c))
	dir := kill(t, c)
	if state, err := run.StateOf(dir); err != nil || state != run.Unsaved {
		t.Fatalf("%v, %v", state, err)
	}
	if _, err := Resume(context.Background(), dir, c); err == nil {
		t.Error("resumed without a checkpoint")
	}
	session(t, func(o ...Option) (*Trainer, error) {
		return Restart(context.Background(), dir, c, o...)
	}, -1)
	if string(finalState(t, dir)) != string(want) {
		t.Error("other bits than those of a run that was not killed")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "metrics.1.jsonl")); err != nil ||
		string(text) != `{"step":14}`+"\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file after Close: %v", err)
	}
}

// A run may be restarted on data that changed since it began, with a warning.
func TestRestartOnOtherData(t *testing.T) {
	c := smallRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(t.TempDir(), "images"), 0.2, 10
	writeIDX(t, c.Data, 50, 1)
	dir := kill(t, c)
	writeIDX(t, c.Data, 60, 1)
	var warnings []string
	tr, err := Restart(context.Background(), dir, c,
		warningsTo(&warnings))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if len(warnings) != 1 ||
		!strings.Contains(warnings[0], "the data changed since the run was begun") ||
		!strings.Contains(warnings[0], "holds 60 images, 10 more than then") {
		t.Errorf("%q", warnings)
	}
	if rows := readRows(t, dir); len(rows) != 60 {
		t.Errorf("%d rows", len(rows))
	}
}

// A restart is refused, and changes nothing, if it would lose a checkpoint or be another run.
func TestRestartRefuses(t *testing.T) {
	c := smallRun()
	other := c
	other.LR /= 2
	dir := kill(t, c)
	_, err := Restart(context.Background(), dir, other)
	if err == nil || !strings.Contains(err.Error(), "lr = ") {
		t.Errorf("another configuration: %v", err)
	}
	held, err := run.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	locked := (*run.LockedError)(nil)
	if _, err := Restart(context.Background(), dir, c); !errors.As(err, &locked) {
		t.Errorf("a run in use: %v", err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	// A checkpoint, even a broken one, or a copy's only one, is for Resume to judge.
	for _, name := range []string{"step-000014", ".old-step-000014", "latest"} {
		path := filepath.Join(dir, "checkpoints", name)
		if err := os.MkdirAll(filepath.Join(path, "meta.json"), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := Restart(context.Background(), dir, c); err == nil ||
			!strings.Contains(err.Error(), "unfinished") {
			t.Errorf("a run with the checkpoint %s: %v", name, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl")); err != nil || len(text) == 0 {
		t.Errorf("the metrics: %q, %v", text, err)
	}
	if _, err := Restart(context.Background(), t.TempDir(), c); err == nil ||
		!strings.Contains(err.Error(), "no run") {
		t.Errorf("an empty directory: %v", err)
	}
}

// While a trainer is open, no other can open its run. A run that another process made in the
// meantime is not overwritten.
func TestTrainersLock(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	tr, err := New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	locked := (*run.LockedError)(nil)
	_, err = New(context.Background(), c, dir)
	if !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() {
		t.Errorf("New: %v", err)
	}
	if _, err := Resume(context.Background(), dir, c); !errors.As(err, &locked) {
		t.Errorf("Resume: %v", err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := New(context.Background(), c, dir); err == nil ||
		!strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("New in a run's directory: %v", err)
	}
	var warnings []string
	tr, err = Resume(context.Background(), train(t, c), c,
		WithLock(&run.Lock{Warning: "no locks here"}), warningsTo(&warnings))
	if err != nil || len(warnings) != 1 || warnings[0] != "no locks here" {
		t.Fatalf("%q, %v", warnings, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	bad := c
	bad.Data = "no-such-data"
	empty := t.TempDir()
	if _, err := New(context.Background(), bad, empty); err == nil {
		t.Error("no such data")
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
		t.Errorf("a run that could not start leaves %v, %v", entries, err)
	}
}
