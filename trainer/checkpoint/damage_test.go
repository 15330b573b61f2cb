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

// small is a state of each type whose checkpoint is short enough to be damaged in every way.
func small() []Tensor {
	return []Tensor{
		{Name: "theta/w", Shape: []int{2, 2}, F32: []float32{1, -2, 0.5, 3}},
		{Name: "counts", Shape: []int{2}, U32: []uint32{7, 1 << 31}},
		{Name: "sum", F64: []float64{0.1}},
	}
}

// Every file cut at every length, every byte with each of its bits flipped, replaced by 0, removed
// and doubled: it is always found, and the state that was to be filled is not touched.
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
		// The damaged file is written in place: two system calls, not the five of a new one.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		write := func(raw []byte) {
			if err := errors.Join(f.Truncate(int64(len(raw))), at0(f, raw)); err != nil {
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
		t.Errorf("the checkpoint put right: %v", err)
	}
	wantSame(t, into, small())
	t.Logf("%d damages found", count)
}

func at0(f *os.File, raw []byte) error {
	_, err := f.WriteAt(raw, 0)
	return err
}

// What is there but is no regular file is damage, not a wait for ever.
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

// A damaged newest checkpoint is named with the newest whole one; one whose state has changed
// within its size is found by Load, not by Latest.
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
	wantError(
		t,
		err,
		filepath.Join(four, stateName),
		"damaged: 20 bytes, meta.json says",
		"the newest whole checkpoint is "+two,
	)
	for _, dir := range []string{two, filepath.Join(run, rootName, stepName(1))} {
		change(dir)
	}
	_, err = Latest(run)
	wantError(t, err, four, "the run has no whole checkpoint")
}

// Checkpoints of an older continuation of the run do not count as newer for their higher steps, not
// even where the link is lost; one whose number is lost counts by its step.
func TestOrder(t *testing.T) {
	run := t.TempDir()
	for _, step := range []int{100, 200, 400, 150, 300} { // gone back to 100 after 400
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

// Damaged checkpoints take no place of whole ones.
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
	if got, want :=
		names(t, run), []string{"latest", "step-000001", "step-000002", "step-000003",
			"step-000004"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("kept %v, expected %v", got, want)
	}
}
