package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// numbered makes the runs 1 to 5 under a new root: 1 and 2 can be resumed, 3 is finished, 4 has no
// checkpoint, 5 diverged.
func numbered(t *testing.T) (root string, names []string) {
	root = t.TempDir()
	names = []string{
		"00001-digits-pgd", "00002-digits-ipld", "00003-digits-ipld", "00004-digits-ipld",
		"00005-digits-ipld",
	}
	for i, name := range names {
		newRun(t, filepath.Join(root, name), i == 2, i != 3)
	}
	if err := MarkDiverged(filepath.Join(root, names[4])); err != nil {
		t.Fatal(err)
	}
	return root, names
}

func TestFind(t *testing.T) {
	root, names := numbered(t)
	for spec, want := range map[string]string{
		"1": names[0], "00003": names[2], names[1]: names[1], "5": names[4],
		filepath.Join(root, names[2]): names[2],
	} {
		dir, err := Find(root, spec)
		if err != nil || dir != filepath.Join(root, want) {
			t.Errorf("%s: %s, %v, expected %s", spec, dir, err, want)
		}
	}
	for _, spec := range []string{"9", "", "00009-x", root, "auto"} {
		if _, err := Find(root, spec); err == nil || !strings.Contains(err.Error(), names[4]) {
			t.Errorf("%q: %v", spec, err)
		}
	}
	_, err := Find(root, root)
	if err == nil || !strings.Contains(err.Error(), "has no config.toml") {
		t.Errorf("a directory without a run: %v", err)
	}
	_, err = Find(filepath.Join(root, "none"), "1")
	if err == nil || !strings.Contains(err.Error(), "holds none") {
		t.Errorf("a number without runs: %v", err)
	}
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(root, file); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file: %v", err)
	}
}

// Newest passes over runs without a checkpoint, and says which.
func TestNewest(t *testing.T) {
	root, names := numbered(t)
	for _, want := range []struct {
		newest int // of names
		passed []string
	}{
		{4, nil}, {2, []string{names[4], names[3]}}, {1, []string{names[4], names[3], names[2]}},
	} {
		dir, passed, err := Newest(root)
		if err != nil || filepath.Base(dir) != names[want.newest] ||
			!slices.Equal(passed.Runs, want.passed) {
			t.Errorf("%s, %v, %v; expected %s, %v", dir, passed, err, names[want.newest],
				want.passed)
		}
		if err := os.RemoveAll(filepath.Join(dir, checkpointsDir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(root, names[0], checkpointsDir)); err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]string{
		root:                        "holds none with a checkpoint (5 without a checkpoint (",
		filepath.Join(root, "none"): "none holds none with a checkpoint: name the directory",
	} {
		if _, _, err := Newest(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
	}
}

// The newest run that can be resumed is chosen and locked; a reason is given for each newer one.
func TestNewestUnfinished(t *testing.T) {
	root, names := numbered(t)
	broken := filepath.Join(root, "00006-digits-ipld")
	newRun(t, broken, false, true)
	if err := os.WriteFile(filepath.Join(broken, infoFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	newRun(t, filepath.Join(root, "00007-digits-ipld"), false, true)
	config := filepath.Join(root, "00007-digits-ipld", configFile)
	if err := os.WriteFile(config, []byte("lr"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{names[1], names[0], ""} {
		c, err := NewestUnfinished(root)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(c.Dir) != filepath.Base(want) {
			t.Fatalf("%v; expected %s", c, want)
		}
		text := c.String()
		for _, passed := range []string{
			"1 unreadable: ", "(00006-digits-ipld)", "(00007-digits-ipld)",
			"1 diverged (" + names[4] + ")",
			"1 without a checkpoint (" + names[3] + ")", "1 finished (" + names[2] + ")",
		} {
			if !strings.Contains(text, passed) {
				t.Errorf("%s; expected %q", text, passed)
			}
		}
		switch want {
		case names[1]:
			if !strings.Contains(text, "the newest unfinished of 7 runs in "+root) {
				t.Error(text)
			}
			locked := (*LockedError)(nil)
			if _, err := Acquire(c.Dir); !errors.As(err, &locked) {
				t.Errorf("%v; expected the chosen run to be locked", err)
			}
		case names[0]:
			if !strings.Contains(text, "1 in use by process ") ||
				!strings.Contains(text, "("+names[1]+")") {
				t.Error(text)
			}
		default:
			if !strings.Contains(text, "No unfinished run in "+root+": starting a new one; "+
				"passed over ") {
				t.Error(text)
			}
		}
		defer c.Lock.Release()
	}
	c, err := NewestUnfinished(filepath.Join(root, "none"))
	if err != nil || c.Dir != "" || c.Lock != nil {
		t.Errorf("without runs: %+v, %v", c, err)
	}
}

func TestPassedNamesAFew(t *testing.T) {
	c := Choice{Root: "runs", Runs: 9}
	for _, name := range []string{"9", "8", "7", "6"} {
		c.pass("finished", name)
	}
	c.pass("diverged", "5")
	want := "No unfinished run in runs: starting a new one; " +
		"passed over 4 finished (9, 8, 7, ...), 1 diverged (5)."
	if got := c.String(); got != want {
		t.Errorf("%s\nexpected %s", got, want)
	}
}
