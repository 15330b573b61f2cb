package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRemove(t *testing.T) {
	root, names := numbered(t)
	dir := filepath.Join(root, names[2])
	write(t, filepath.Join(dir, "grid.png"), "of the user")
	if n, err := Size(dir); err != nil || n < int64(len("of the user")) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if runs, err := Numbered(root); err != nil || len(runs) != len(names)-1 {
		t.Errorf("left: %v, %v", runs, err)
	}
}

// What is no run, or in use, stays as it is.
func TestRemoveRefuses(t *testing.T) {
	root, names := numbered(t)
	settings := t.TempDir()
	write(t, filepath.Join(settings, configFile), "[server]")
	used, link := filepath.Join(root, names[0]), filepath.Join(root, "link")
	lock, err := Acquire(used)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := os.Symlink(filepath.Join(root, names[1]), link); err != nil {
		t.Skip(err)
	}
	for dir, want := range map[string]string{
		used: "in use by", root: "no run", settings: "no run", link: "symbolic link",
		filepath.Join(root, "none"): "no such file",
	} {
		before, _ := os.ReadDir(dir)
		err := Remove(dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
		if after, _ := os.ReadDir(dir); len(after) != len(before) {
			t.Errorf("%s holds %v, before %v", dir, after, before)
		}
	}
}
