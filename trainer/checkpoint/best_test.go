package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

// saveBest saves the state with that mark as the best checkpoint, or not.
func saveBest(files file.System, run string, step, keep int, mark float32, best bool) error {
	w := Writer{Files: files, RunDir: run, Keep: keep}
	p, err := w.Begin(Meta{Step: step}, marked(mark))
	if err != nil {
		return err
	}
	if best {
		p.MarkBest()
	}
	_, err = p.Commit()
	return err
}

// bestMark loads the best checkpoint and returns its mark.
func bestMark(run string) (float32, error) {
	found, err := Find(run, BestName)
	if err != nil {
		return 0, err
	}
	got := blank(small())
	_, err = Load(found.Dir, got)
	return got[0].F32[0], err
}

// The best checkpoint stays while newer ones replace each other, until there is a better one.
func TestBestIsKept(t *testing.T) {
	run := t.TempDir()
	if _, err := Best(run); !errors.Is(err, ErrNoBest) {
		t.Errorf("of no run: %v", err)
	}
	for step := 1; step <= 9; step++ {
		best := step == 2 || step == 6
		if err := saveBest(file.OS, run, step, 2, float32(step), best); err != nil {
			t.Fatal(err)
		}
		_, err := Best(run)
		if got := names(t, run); step == 1 != errors.Is(err, ErrNoBest) || step == 5 &&
			!slices.Equal(got, []string{"best", "latest", "step-000002", "step-000004",
				"step-000005"}) {
			t.Errorf("step %d: %q, %v", step, got, err)
		}
	}
	want := []string{"best", "latest", "step-000006", "step-000008", "step-000009"}
	if got := names(t, run); !slices.Equal(got, want) {
		t.Errorf("%q are left, expected %q", got, want)
	}
	if got, err := bestMark(run); got != 6 || err != nil {
		t.Errorf("the best is %v, %v", got, err)
	}
	if got, err := mark(run); got != 9 || err != nil {
		t.Errorf("the newest is %v, %v", got, err)
	}
}

// Each operation of a save that has a new best fails, or the process is killed in it. The best is
// then the old one or the new one, whole; the next save cleans up.
func TestBestSurvives(t *testing.T) {
	prepare := func() (run string) {
		run = t.TempDir()
		for i, step := range []int{5, 6} {
			sys := &faultfs.System{Cached: true}
			if err := saveBest(sys, run, step, 0, float32(i+1), step == 5); err != nil {
				t.Fatal(err)
			}
		}
		return run
	}
	for what, fault := range map[string]func(int) func(faultfs.Op) error{
		"killed": faultfs.DeadFrom,
		"disk full": func(k int) func(faultfs.Op) error {
			return faultfs.FailAt(k, syscall.ENOSPC)
		},
		"read-only": func(k int) func(faultfs.Op) error { return failFrom(k, syscall.EROFS) },
	} {
		for _, step := range []int{5, 10} { // the step of the old best, and a new one
			done := false
			for k := 1; !done; k++ {
				run := prepare()
				sys := &faultfs.System{Fault: fault(k), Cached: true}
				err := saveBest(sys, run, step, 1, 9, true)
				done = sys.Ops() < k
				got, readErr := bestMark(run)
				if readErr != nil || got != 1 && got != 9 || err == nil && got != 9 {
					t.Errorf("step %d, %s at %d: the best is %v, %v; the save returned %v",
						step, what, k, got, readErr, err)
				}
				err = saveBest(&faultfs.System{Cached: true}, run, 11, 1, 7, true)
				want := []string{"best", "latest", "step-000011"}
				if left := names(t, run); err != nil || !slices.Equal(left, want) {
					t.Errorf("step %d, %s at %d: then %q are left, %v", step, what, k, left,
						err)
				}
			}
		}
	}
}

// A run that goes back before its best checkpoint has none any more; an earlier best stays.
func TestBestAbandoned(t *testing.T) {
	for _, best := range []int{3, 7} {
		run := t.TempDir()
		for _, step := range []int{3, 7} {
			if err := saveBest(file.OS, run, step, 0, float32(step), step == best); err != nil {
				t.Fatal(err)
			}
		}
		w := Writer{Files: file.OS, RunDir: run}
		w.Abandon(4)
		p, err := w.Begin(Meta{Step: 4}, state())
		if err == nil {
			_, err = p.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = Best(run)
		if best == 3 && err != nil || best == 7 && !errors.Is(err, ErrNoBest) ||
			slices.Contains(names(t, run), BestName) != (best == 3) {
			t.Errorf("the best was %d: %v, %q are left", best, err, names(t, run))
		}
	}
}

// A copied run may have in place of its link a directory, a text or nothing.
func TestBestCopied(t *testing.T) {
	for what, change := range map[string]func(root, link string) error{
		"a directory": func(root, link string) error {
			return os.CopyFS(link, os.DirFS(filepath.Join(root, "step-000001")))
		},
		"the only copy": func(root, link string) error {
			return os.Rename(filepath.Join(root, "step-000001"), link)
		},
		"a text": func(_, link string) error {
			return os.WriteFile(link, []byte("step-000001\n"), 0o666)
		},
		"a link elsewhere": func(_, link string) error {
			return os.Symlink("/elsewhere/checkpoints/step-000001", link)
		},
		"nothing":         func(_, _ string) error { return nil },
		"a dangling link": func(_, link string) error { return os.Symlink("step-000009", link) },
	} {
		run := t.TempDir()
		for step := 1; step <= 2; step++ {
			if err := saveBest(file.OS, run, step, 0, float32(step), step == 1); err != nil {
				t.Fatal(err)
			}
		}
		root := filepath.Join(run, rootName)
		link := filepath.Join(root, BestName)
		if err := errors.Join(os.Remove(link), change(root, link)); err != nil {
			t.Fatal(err)
		}
		got, err := bestMark(run)
		none := what == "nothing" || what == "a dangling link"
		if none != errors.Is(err, ErrNoBest) || !none && (err != nil || got != 1) {
			t.Errorf("%s: the best is %v, %v", what, got, err)
		}
		if newest, err := mark(run); newest != 2 || err != nil {
			t.Errorf("%s: the newest is %v, %v", what, newest, err)
		}
		if err := saveBest(file.OS, run, 3, 1, 3, true); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if left := strings.Join(names(t, run), " "); left != "best latest step-000003" {
			t.Errorf("%s: %s are left", what, left)
		}
	}
}

// Where there are no links, latest and best are files with names, which the next save replaces, as
// it does a link that was copied from elsewhere.
func TestPointersWithoutLinks(t *testing.T) {
	run := t.TempDir()
	if err := saveBest(file.OS, run, 1, 0, 1, true); err != nil { // with links
		t.Fatal(err)
	}
	withoutLinks = true
	defer func() { withoutLinks = runtime.GOOS == "windows" }()
	for step := 2; step <= 4; step++ {
		if err := saveBest(file.OS, run, step, 1, float32(step), step < 4); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		BestName: "step-000003\n", latestName: "step-000004\n",
	} {
		path := filepath.Join(run, rootName, name)
		text, err := os.ReadFile(path)
		info, statErr := os.Lstat(path)
		if err := errors.Join(err, statErr); err != nil || !info.Mode().IsRegular() ||
			string(text) != want {
			t.Errorf("%s has %q, %v", name, text, err)
		}
	}
	best, err := bestMark(run)
	newest, newestErr := mark(run)
	if best != 3 || newest != 4 || errors.Join(err, newestErr) != nil {
		t.Errorf("best %v, %v, newest %v, %v", best, err, newest, newestErr)
	}
}

// A checkpoint that is discarded leaves no trace, and the next one is saved as ever.
func TestDiscard(t *testing.T) {
	run := t.TempDir()
	if err := saveBest(file.OS, run, 1, 0, 1, true); err != nil {
		t.Fatal(err)
	}
	before, w := names(t, run), Writer{Files: file.OS, RunDir: run}
	p, err := w.Begin(Meta{Step: 2}, marked(2))
	if err == nil {
		p.MarkBest()
		err = p.Discard()
	}
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(run, rootName)); err != nil ||
		len(left) != len(before) {
		t.Errorf("%v are left, %v; expected %q", left, err, before)
	}
	p, err = w.Begin(Meta{Step: 3}, marked(3))
	if err == nil {
		_, err = p.Commit()
	}
	if got, readErr := bestMark(run); got != 1 || errors.Join(err, readErr) != nil {
		t.Errorf("the best is %v, %v, %v", got, err, readErr)
	}
}
