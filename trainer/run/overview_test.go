package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statuses are the names of runs below root and what their overviews say, in the order of List.
func statuses(t *testing.T, root string) (list []string) {
	t.Helper()
	all, err := List(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		name, err := filepath.Rel(root, o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, filepath.ToSlash(name)+" "+o.Status)
	}
	return list
}

func TestList(t *testing.T) {
	root, names := numbered(t)
	newRun(t, filepath.Join(root, "study", "runs", "a"), true, true)
	for _, dir := range []string{".git/run", "empty", "settings", names[0] + "/samples/run"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	newRun(t, filepath.Join(root, ".git", "run"), true, true)
	newRun(t, filepath.Join(root, names[0], "samples", "run"), true, true)
	// The configuration of something else makes no run, and a broken run hides no other.
	write(t, filepath.Join(root, "settings", configFile), "[server]")
	write(t, filepath.Join(root, names[1], configFile), "latent = ")
	lock, err := Acquire(filepath.Join(root, names[3]))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	want := []string{
		names[0] + " stopped", names[1] + " unreadable", names[2] + " finished",
		names[3] + " running", names[4] + " diverged", "study/runs/a finished",
	}
	got := statuses(t, root)
	slices.Sort(got) // they began within the resolution of the clock
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	got = statuses(t, filepath.Join(root, names[3]))
	if !slices.Equal(got, []string{". unsaved"}) {
		t.Errorf("a run itself: %q", got)
	}
	if _, err := List(t.Context(), filepath.Join(root, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := List(ctx, root); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The numbers are those of the last record, or of the last that has them.
func TestOverlook(t *testing.T) {
	dir := t.TempDir()
	newRun(t, dir, false, true)
	write(t, filepath.Join(dir, metricsFile),
		`{"epoch":1,"step":9,"recon_mse":0.5,"pca64_fd":7.5,"seconds":2}`+"\n"+
			`{"epoch":2,"step":18,"recon_mse":0.25,"heldout_mse":0.375,"seconds":4}`+"\n"+
			`{"epoch":3,"step":27,"recon_mse":0.125,"seconds":6}`+"\n"+`{"epoch":4,"st`)
	o := Overlook(dir)
	if o.Epoch != 3 || o.Step != 27 || o.ReconMSE != 0.125 || o.HeldOutMSE != 0.375 ||
		o.PCA64FD != 7.5 || o.Seconds != 6 || o.Problem != "" || o.Status != StatusStopped {
		t.Errorf("%+v", o)
	}
	write(t, filepath.Join(dir, metricsFile), "no record\n\n")
	if o := Overlook(dir); o.Status != StatusUnreadable || !strings.Contains(o.Problem, "metrics") {
		t.Errorf("%+v", o)
	}
}

// A lock file that nobody holds, as a killed process leaves it, is no running process.
func TestRunning(t *testing.T) {
	dir := t.TempDir()
	if h, running := Running(dir); running {
		t.Errorf("without a file: %v", h)
	}
	lock, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if h, running := Running(dir); !running || h.PID != os.Getpid() {
		t.Errorf("%v, %v", h, running)
	}
	text, err := os.ReadFile(filepath.Join(dir, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, lockFile), string(text))
	if h, running := Running(dir); running {
		t.Errorf("of before: %v", h)
	}
	if lock, err = Acquire(dir); err != nil {
		t.Fatalf("after asking: %v", err)
	}
	lock.Release()
}
