package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

// marked returns a state with a mark that tells which save wrote it.
func marked(at float32) []Tensor {
	t := small()
	t[0].F32[0] = at
	return t
}

// situations prepare run directories for a save. Each saves states marked 1, 2, ... and returns the
// last mark.
var situations = map[string]func(t *testing.T, run string) (last float32){
	"an older checkpoint": func(t *testing.T, run string) float32 {
		quickSave(t, run, Meta{Step: 5}, marked(1), 0)
		return 1
	},
	"the same step": func(t *testing.T, run string) float32 {
		quickSave(t, run, Meta{Step: 10}, marked(1), 0)
		return 1
	},
	"one to be removed": func(t *testing.T, run string) float32 {
		for step := range 3 {
			quickSave(t, run, Meta{Step: step}, marked(float32(step+1)), 0)
		}
		return 3
	},
	"a copied run": func(t *testing.T, run string) float32 {
		dir := quickSave(t, run, Meta{Step: 5}, marked(1), 0)
		link := filepath.Join(run, rootName, latestName)
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir, link); err != nil { // the only one
			t.Fatal(err)
		}
		return 1
	},
}

// quickSave is mustSave without syncing.
func quickSave(t *testing.T, run string, meta Meta, tensors []Tensor, keep int) (dir string) {
	t.Helper()
	w := Writer{Files: &faultfs.System{Cached: true}, RunDir: run, Keep: keep}
	p, err := w.Begin(meta, tensors)
	if err == nil {
		dir, err = p.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// saveWith saves the state marked 9 at step 10.
func saveWith(files file.System, run string) (err error) {
	w := Writer{Files: files, RunDir: run, Keep: 2}
	p, err := w.Begin(Meta{Step: 10}, marked(9))
	if err == nil {
		_, err = p.Commit()
	}
	return err
}

// mark loads the newest checkpoint and returns its mark.
func mark(run string) (float32, error) {
	dir, err := Latest(run)
	if err != nil {
		return 0, err
	}
	got := blank(small())
	if _, err := Load(dir, got); err != nil {
		return 0, err
	}
	return got[0].F32[0], nil
}

// Each operation of a save fails in turn, alone or with those that follow, or the process is killed
// in it; a failed write leaves half its bytes. The newest checkpoint is then the old or the new
// one, complete, and the next save works and cleans up.
func TestEveryOperationFails(t *testing.T) {
	faults := map[string]func(k int) func(faultfs.Op) error{
		"killed": faultfs.DeadFrom,
		"disk full": func(k int) func(faultfs.Op) error {
			return faultfs.FailAt(k, syscall.ENOSPC)
		},
		"full since": func(k int) func(faultfs.Op) error {
			return failFrom(k, syscall.ENOSPC, "open", "write", "mkdir", "symlink")
		},
		"read-only": func(k int) func(faultfs.Op) error { return failFrom(k, syscall.EROFS) },
		"bad device": func(k int) func(faultfs.Op) error {
			return failFrom(k, syscall.EIO, "write", "sync", "syncdir")
		},
	}
	total := 0
	for situation, prepare := range situations {
		ops := opsOfSave(t, prepare)
		for what, fault := range faults {
			for k := 1; k <= ops; k++ {
				run := t.TempDir()
				last := prepare(t, run)
				sys := &faultfs.System{Fault: fault(k), Cached: true}
				err := saveWith(sys, run)
				name := fmt.Sprintf("%s, %s from operation %d of %d", situation, what, k, ops)
				got, readErr := mark(run)
				switch {
				case readErr != nil:
					t.Errorf("%s: no checkpoint is left: %v", name, readErr)
				case got != last && got != 9:
					t.Errorf("%s: the newest checkpoint is an older one, %v", name, got)
				case err == nil && got != 9:
					t.Errorf("%s: no error, but the checkpoint is not saved", name)
				case err != nil && !file.Failed(err):
					t.Errorf("%s: %v does not count as a failure of the file system", name, err)
				}
				if err := saveWith(&faultfs.System{Cached: true}, run); err != nil {
					t.Errorf("%s: the next save: %v", name, err)
				}
				if got, err := mark(run); err != nil || got != 9 {
					t.Errorf("%s: after the next save: %v, %v", name, got, err)
				}
				for _, left := range names(t, run) {
					if strings.HasPrefix(left, ".") {
						t.Errorf("%s: left behind: %s", name, left)
					}
				}
				total++
			}
		}
	}
	t.Logf("%d failures survived", total)
}

// opsOfSave returns the number of operations of a successful save.
func opsOfSave(t *testing.T, prepare func(t *testing.T, run string) float32) int {
	t.Helper()
	run := t.TempDir()
	prepare(t, run)
	sys := &faultfs.System{Cached: true}
	if err := saveWith(sys, run); err != nil {
		t.Fatal(err)
	}
	if sys.Ops() < 20 {
		t.Errorf("a save has only %d operations: something bypasses file.System", sys.Ops())
	}
	return sys.Ops()
}

// failFrom fails all operations of the given kinds, or of any kind if there are none, from a number
// on.
func failFrom(number int, with syscall.Errno, kinds ...string) func(faultfs.Op) error {
	return func(op faultfs.Op) error {
		if op.Number >= number && (len(kinds) == 0 || slices.Contains(kinds, op.Kind)) {
			return with
		}
		return nil
	}
}

// A file whose sync failed is written again, never synced again.
func TestFailedSyncIsNotRepeated(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, Meta{Step: 5}, marked(1), 0)
	for _, name := range []string{stateName, metaName} {
		var after []string // operations on the file since its sync failed
		failed := false
		sys := &faultfs.System{}
		sys.Fault = func(op faultfs.Op) error {
			if filepath.Base(op.Path) != name {
				return nil
			}
			if failed {
				after = append(after, op.Kind)
			} else if op.Kind == "sync" {
				failed = true
				return syscall.EIO
			}
			return nil
		}
		if err := saveWith(sys, run); err == nil {
			t.Fatal("a sync failed, and the save did not")
		}
		if err := saveWith(sys, run); err != nil {
			t.Fatal(err)
		}
		if i := slices.Index(after, "sync"); i < 0 || !slices.Contains(after[:i], "open") ||
			!slices.Contains(after[:i], "write") {
			t.Errorf("%s, after its sync failed: %v", name, after)
		}
	}
}

// On file systems without symbolic links, latest is a file with the name.
func TestWithoutLinks(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.ENOSYS, syscall.ENOTSUP} {
		run := t.TempDir()
		sys := &faultfs.System{Fault: func(op faultfs.Op) error {
			if op.Kind == "symlink" {
				return errno
			}
			return nil
		}}
		w := Writer{Files: sys, RunDir: run}
		for _, step := range []int{3, 900, 40} { // the last one does not have the highest step
			p, err := w.Begin(Meta{Step: step}, marked(float32(step)))
			if err == nil {
				_, err = p.Commit()
			}
			if err != nil {
				t.Fatalf("%v: %v", errno, err)
			}
			text, err := os.ReadFile(filepath.Join(run, rootName, latestName))
			if err != nil || !bytes.Equal(text, []byte(stepName(step)+"\n")) {
				t.Errorf("%v: latest holds %q, %v", errno, text, err)
			}
			if got, err := mark(run); err != nil || got != float32(step) {
				t.Errorf("%v: the newest checkpoint is %v, %v; expected %d", errno, got, err, step)
			}
		}
		mustSave(t, run, Meta{Step: 41}, marked(41), 0) // with links again
		if got, err := mark(run); err != nil || got != 41 {
			t.Errorf("%v: with links again: %v, %v", errno, got, err)
		}
	}
}

// The order of operations protects against a loss of power: content is durable before it gets its
// name, and nothing is removed before its replacement is durable.
func TestOrderOfSyncs(t *testing.T) {
	run := t.TempDir()
	for step := range 3 {
		quickSave(t, run, Meta{Step: step}, marked(1), 0)
	}
	var trace []string
	sys := &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
		rel, err := filepath.Rel(filepath.Join(run, rootName), op.Path)
		trace = append(trace, op.Kind+" "+filepath.ToSlash(rel))
		return err
	}}
	if err := saveWith(sys, run); err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, want := range []string{
		"sync .tmp-step-000010/state.safetensors", "sync .tmp-step-000010/meta.json",
		"syncdir .tmp-step-000010",
		"rename step-000010", "syncdir .", "rename latest", "syncdir .", "rename .tmp-step-000001",
	} {
		i := slices.Index(trace[at+1:], want)
		if i < 0 {
			t.Fatalf("%q does not follow in\n%s", want, strings.Join(trace[at+1:], "\n"))
		}
		at += 1 + i
	}
}

// A state that reads back differently is an error, and the checkpoint does not appear.
func TestReadBack(t *testing.T) {
	run := t.TempDir()
	quickSave(t, run, Meta{Step: 5}, marked(1), 0)
	w := Writer{Files: &faultfs.System{Cached: true}, RunDir: run}
	p, err := w.Begin(Meta{Step: 10}, marked(9))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run, rootName, ".tmp-step-000010", stateName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 4
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = p.Commit()
	wantError(t, err, path, "not what was written")
	if !file.Failed(err) {
		t.Errorf("%v does not count as a failure of the file system", err)
	}
	if got, err := mark(run); err != nil || got != 1 {
		t.Errorf("the newest checkpoint is %v, %v", got, err)
	}
}
