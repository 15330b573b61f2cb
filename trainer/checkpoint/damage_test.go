package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small returns tensors of every type whose checkpoint is short enough to be damaged in every way.
func small() []Tensor {
	return []Tensor{
		{Name: "theta/w", Shape: []int{2, 2}, F32: []float32{1, -2, 0.5, 3}},
		{Name: "counts", Shape: []int{2}, U32: []uint32{7, 1 << 31}},
		{Name: "sum", F64: []float64{0.1}},
	}
}

// Both files are truncated at every length, and every byte is changed in each bit, zeroed, removed
// and doubled. The damage is always detected, and the live state is not touched.
func TestEveryDamageIsFound(t *testing.T) {
	meta := Meta{Method: "ipld", Step: 12, Epoch: 1, Version: "v0.1.0", Config: "epochs = 2\n"}
	dir := mustSave(t, t.TempDir(), meta, small(), 0)
	into := blank(small())
	count := 0
	for _, name := range []string{metaName, stateName} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Writing the damaged file in place takes two system calls, a new file would take five.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		write := func(raw []byte) {
			_, err := f.WriteAt(raw, 0)
			if err := errors.Join(err, f.Truncate(int64(len(raw)))); err != nil {
				t.Fatal(err)
			}
		}
		found := func(raw []byte, what string, at int) {
			t.Helper()
			count++
			write(raw)
			if _, err := Load(dir, into); !errors.Is(err, ErrDamaged) ||
				!strings.Contains(err.Error(), path) {
				t.Errorf("%s of %s at %d: %v", what, name, at, err)
			}
		}
		for n := range len(whole) {
			found(whole[:n], "cut", n)
			for bit := range 8 {
				raw := slices.Clone(whole)
				raw[n] ^= 1 << bit
				found(raw, fmt.Sprintf("flip of bit %d", bit), n)
			}
			if whole[n] != 0 {
				raw := slices.Clone(whole)
				raw[n] = 0
				found(raw, "zero", n)
			}
			found(slices.Delete(slices.Clone(whole), n, n+1), "loss", n)
			found(slices.Insert(slices.Clone(whole), n, whole[n]), "doubling", n)
		}
		found(append(slices.Clone(whole), '\n'), "growth", len(whole))
		write(whole)
	}
	wantSame(t, into, blank(small()))
	if _, err := Load(dir, into); err != nil {
		t.Errorf("the intact checkpoint: %v", err)
	}
	wantSame(t, into, small())
	t.Logf("%d damages found", count)
}

// Something other than a regular file is an error and does not block.
func TestOddFiles(t *testing.T) {
	for _, name := range []string{metaName, stateName} {
		dir := mustSave(t, t.TempDir(), Meta{}, small(), 0)
		path := filepath.Join(dir, name)
		for what, make := range map[string]func() error{
			"nothing":     func() error { return nil },
			"a directory": func() error { return os.Mkdir(path, 0o777) },
			"a pipe":      func() error { return mkfifo(path) },
			"a device":    func() error { return os.Symlink(os.DevNull, path) },
		} {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := make(); errors.Is(err, errors.ErrUnsupported) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			if _, err := Load(dir, blank(small())); !errors.Is(err, ErrDamaged) ||
				!strings.Contains(err.Error(), name) {
				t.Errorf("%s as %s: %v", what, name, err)
			}
		}
	}
}

// The error of a damaged newest checkpoint names the newest whole one. Changes that keep the size
// are detected by Load, not by Latest.
func TestDamagedNewest(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, Meta{Step: 1}, small(), 0)
	two := mustSave(t, run, Meta{Step: 2}, small(), 0)
	three := mustSave(t, run, Meta{Step: 3}, small(), 0)
	four := mustSave(t, run, Meta{Step: 4}, small(), 0)
	change := func(dir string) {
		t.Helper()
		path := filepath.Join(dir, stateName)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)-1] ^= 1
		if err := os.WriteFile(path, raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	change(four)
	change(three)
	_, err := Load(four, blank(small()))
	wantError(t, err, filepath.Join(four, stateName), "damaged", "SHA-256",
		"the newest whole checkpoint is "+two)
	if err := os.Truncate(filepath.Join(four, stateName), 20); err != nil {
		t.Fatal(err)
	}
	_, err = Latest(run)
	wantError(t, err, filepath.Join(four, stateName), "damaged: 20 bytes, meta.json says",
		"the newest whole checkpoint is "+two)
	for _, dir := range []string{two, filepath.Join(run, rootName, stepName(1))} {
		change(dir)
	}
	_, err = Latest(run)
	wantError(t, err, four, "the run has no whole checkpoint")
}

// Checkpoints are ordered by when they were saved and not by their steps, even without the link.
// One whose number is lost comes first.
func TestOrder(t *testing.T) {
	run := t.TempDir()
	for _, step := range []int{100, 200, 400, 150, 300} { // back to step 100 after 400
		mustSave(t, run, Meta{Step: step}, small(), 0)
	}
	order := func() (steps []int) {
		t.Helper()
		all, err := List(run)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			steps = append(steps, c.Step)
		}
		return steps
	}
	expect := func(why string, want ...int) {
		t.Helper()
		if got := order(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, expected %v", why, got, want)
		}
	}
	expect("as saved", 300, 150, 400, 200, 100)
	link := filepath.Join(run, rootName, latestName)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	expect("no link", 300, 150, 400, 200, 100)
	if err := os.Symlink("step-000200", link); err != nil {
		t.Fatal(err)
	}
	expect("a link set by hand", 200, 300, 150, 400, 100)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(run, rootName, stepName(300), metaName), 9); err != nil {
		t.Fatal(err)
	}
	expect("the number of the newest lost", 300, 150, 400, 200, 100)

	for name, want := range map[string]int{"step-000150": 150, "150": 150, "400": 400} {
		if c, err := Find(run, name); err != nil || c.Step != want {
			t.Errorf("Find(%s) = %d, %v", name, c.Step, err)
		}
	}
	_, err := Find(run, "7")
	wantError(t, err, `none called "7"`, "step-000300")
}

// Keep does not count damaged checkpoints.
func TestKeepCountsWholeOnes(t *testing.T) {
	run := t.TempDir()
	for step := range 4 {
		dir := mustSave(t, run, Meta{Step: step}, small(), 0)
		if step == 2 {
			if err := os.Truncate(filepath.Join(dir, stateName), 9); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustSave(t, run, Meta{Step: 4}, small(), 3)
	want := []string{"latest", "step-000001", "step-000002", "step-000003", "step-000004"}
	if got := names(t, run); !slices.Equal(got, want) {
		t.Errorf("kept %v, expected %v", got, want)
	}
}
