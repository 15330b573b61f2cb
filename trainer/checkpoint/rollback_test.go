package checkpoint

import (
	"errors"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

// Before finds earlier checkpoints, Abandon removes later ones, and Slowed is stored.
func TestBeforeAndAbandon(t *testing.T) {
	run := t.TempDir()
	slowed := Slowed{Retries: 2, Factor: 0.25, From: 7, Times: 1}
	for _, step := range []int{3, 7, 1_000_000} {
		mustSave(t, run, Meta{Step: step, Slowed: slowed}, state(), 0)
	}
	newest, step := "", 1_000_000
	for _, want := range []string{"step-000007", "step-000003", ""} {
		older, err := Before(run, step)
		if err != nil || older.Dir != "" && filepath.Base(older.Dir) != want ||
			older.Dir == "" && want != "" {
			t.Fatalf("before %d: %q, %v; expected %q", step, older.Dir, err, want)
		}
		if older.Dir != "" {
			newest, step = older.Dir, older.Step
		}
	}
	meta := mustLoadMeta(t, newest)
	if meta.Step != 3 || meta.Slowed != slowed {
		t.Errorf("step %d, %+v", meta.Step, meta.Slowed)
	}
	w := Writer{Files: file.OS, RunDir: run}
	w.Abandon(3)
	p, err := w.Begin(Meta{Step: 3}, state())
	if err == nil {
		_, err = p.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, run), []string{"latest", "step-000003"}; !slices.Equal(got, want) {
		t.Errorf("%q are left, expected %q", got, want)
	}
	if meta := mustLoadMeta(t, newest); meta.Slowed != (Slowed{}) {
		t.Errorf("%+v: expected nothing", meta.Slowed)
	}
}

// After Abandon the first saves fail. The first successful one, some steps later, removes the
// abandoned checkpoints but none of the new ones, and Keep applies to the rest.
func TestAbandonedWhenSaved(t *testing.T) {
	run := t.TempDir()
	sys := &faultfs.System{}
	w := Writer{Files: sys, RunDir: run, Keep: 3}
	save := func(step int) error {
		p, err := w.Begin(Meta{Step: step}, state())
		if err == nil {
			_, err = p.Commit()
		}
		return err
	}
	expect := func(want ...string) {
		t.Helper()
		if got := names(t, run); !slices.Equal(got, append([]string{"latest"}, want...)) {
			t.Errorf("%q are left, expected %q", got, want)
		}
	}
	for _, step := range []int{2, 4, 8} {
		if err := save(step); err != nil {
			t.Fatal(err)
		}
	}
	w.Abandon(4)
	for _, kind := range []string{"write", "sync"} {
		sys.Fault = func(op faultfs.Op) error {
			if op.Kind == kind {
				return syscall.ENOSPC
			}
			return nil
		}
		if err := save(4); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%s: %v", kind, err)
		}
		expect("step-000002", "step-000004", "step-000008")
	}
	sys.Fault = nil
	if err := save(5); err != nil {
		t.Fatal(err)
	}
	expect("step-000002", "step-000004", "step-000005")
	if err := save(9); err != nil {
		t.Fatal(err)
	}
	expect("step-000004", "step-000005", "step-000009")
}

func mustLoadMeta(t *testing.T, dir string) Meta {
	t.Helper()
	meta, err := LoadSome(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return meta
}
