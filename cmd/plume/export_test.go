package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/export"
	"github.com/plume-ml/plume/trainer/run"
)

// A signal at any moment of an export or an import leaves what is complete, or nothing.
func TestExportIsLeft(t *testing.T) {
	dir := t.TempDir()
	train := inDir(t, dir, "train", "--config", "tiny.toml", "--epochs", "1", "--out", "run")
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o777); err != nil {
		t.Fatal(err)
	}
	interrupted := func(after time.Duration, args ...string) {
		t.Helper()
		cmd := inDir(t, dir, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
	}
	for after := time.Duration(0); after < 100*time.Millisecond; after += 7 * time.Millisecond {
		interrupted(after, "export", "run", "--particles", "-o", "out/m.npz")
		for _, name := range list(t, filepath.Join(dir, "out")) {
			_, err := export.Open(filepath.Join(dir, "out", name))
			if err != nil || name != "m.npz" {
				t.Errorf("after %v: %s, %v", after, name, err)
			}
		}
	}
	whole := inDir(t, dir, "export", "run", "-o", "m.safetensors")
	if out, err := whole.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for after := time.Duration(0); after < 100*time.Millisecond; after += 7 * time.Millisecond {
		interrupted(after, "import", "m.safetensors", "--runs", "runs/below")
		for _, name := range list(t, filepath.Join(dir, "runs", "below")) {
			if _, err := run.Open(filepath.Join(dir, "runs", "below", name)); err != nil {
				t.Errorf("after %v: %v", after, err)
			}
		}
	}
}

// list is the names in a directory; none if it does not exist.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
