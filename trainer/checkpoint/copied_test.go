package checkpoint

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// copied is what a copy of a run may have in place of its link "latest".
type copied struct {
	latest func(root, link string) error // makes it, after the link was removed
	want   float32                       // mark of the newest checkpoint
	aside  bool                          // a save renames it to latest-1
}

var copies = map[string]copied{
	"no link": {
		latest: func(_, _ string) error { return nil },
		want:   2,
	},
	"a link into the run it was copied from": {
		latest: func(root, link string) error {
			return os.Symlink("/elsewhere/runs/1/checkpoints/step-000005", link)
		},
		want: 1,
	},
	"a dangling link": {
		latest: func(_, link string) error { return os.Symlink("step-000999", link) },
		want:   2,
	},
	"a link to another directory": {
		latest: func(_, link string) error { return os.Symlink("..", link) },
		want:   2,
	},
	"a copy of a checkpoint": { // cp -rL
		latest: func(root, link string) error {
			return os.CopyFS(link, os.DirFS(filepath.Join(root, "step-000006")))
		},
		want: 2,
	},
	"a copy of an older one": {
		latest: func(root, link string) error {
			return os.CopyFS(link, os.DirFS(filepath.Join(root, "step-000005")))
		},
		want: 1,
	},
	"the only copy": { // cp -rL of checkpoints/latest alone
		latest: func(root, link string) error {
			return os.Rename(filepath.Join(root, "step-000006"), link)
		},
		want: 2,
	},
	"the only copy, beside the damaged original": {
		latest: func(root, link string) error {
			dir := filepath.Join(root, "step-000006")
			if err := os.CopyFS(link, os.DirFS(dir)); err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, stateName), 3)
		},
		want: 2,
	},
	"an empty directory": {
		latest: func(_, link string) error { return os.Mkdir(link, 0o777) },
		want:   2, aside: true,
	},
	"the name as text": { // a link as some tools copy it
		latest: func(_, link string) error {
			return os.WriteFile(link, []byte("step-000005"), 0o666)
		},
		want: 1,
	},
	"an empty file": {
		latest: func(_, link string) error { return os.WriteFile(link, nil, 0o666) },
		want:   2,
	},
	"a path out of the run as text": {
		latest: func(_, link string) error {
			return os.WriteFile(link, []byte("../../x/step-000005"), 0o666)
		},
		want: 2,
	},
}

// Copying a run may change "latest" from a link to something else. The newest checkpoint is still
// found, and a save makes a link again without losing a checkpoint.
func TestCopiedRun(t *testing.T) {
	for name, c := range copies {
		t.Run(name, c.check)
	}
}

func (c copied) check(t *testing.T) {
	run := t.TempDir()
	quickSave(t, run, Meta{Step: 5}, marked(1), 0)
	root := filepath.Dir(quickSave(t, run, Meta{Step: 6}, marked(2), 0))
	link := filepath.Join(root, latestName)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := c.latest(root, link); err != nil {
		t.Fatal(err)
	}
	if got, err := mark(run); err != nil || got != c.want {
		t.Errorf("the newest checkpoint is %v, %v; expected %v", got, err, c.want)
	}
	quickSave(t, run, Meta{Step: 7}, marked(3), 0)
	if got, err := mark(run); err != nil || got != 3 {
		t.Errorf("after a save the newest is %v, %v", got, err)
	}
	after := []string{latestName, "step-000005", "step-000006", "step-000007"}
	if c.aside {
		after = slices.Insert(after, 1, "latest-1")
	}
	if got := names(t, run); !slices.Equal(got, after) {
		t.Errorf("after a save there are %v, expected %v", got, after)
	}
	if target, _ := os.Readlink(link); target != "step-000007" {
		t.Errorf("latest leads to %q", target)
	}
	for step, want := range map[int]float32{5: 1, 6: 2} {
		got := blank(small())
		_, err := Load(filepath.Join(root, stepName(step)), got)
		if err != nil || got[0].F32[0] != want {
			t.Errorf("step %d: %v, %v", step, got[0].F32[0], err)
		}
	}
}

// If latest is a directory with a damaged checkpoint, that counts as the newest. A save moves it
// aside.
func TestTornCopy(t *testing.T) {
	run := t.TempDir()
	dir := quickSave(t, run, Meta{Step: 6}, marked(2), 0)
	link := filepath.Join(filepath.Dir(dir), latestName)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(link, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(link, stateName), 30); err != nil {
		t.Fatal(err)
	}
	_, err := Latest(run)
	wantError(t, err, filepath.Join(link, stateName), "damaged: 30 bytes",
		"the newest whole checkpoint is "+dir)
	quickSave(t, run, Meta{Step: 7}, marked(3), 0)
	want := []string{"latest", "latest-1", "step-000006", "step-000007"}
	if got := names(t, run); !slices.Equal(got, want) {
		t.Errorf("after a save there are %v, expected %v", got, want)
	}
}
