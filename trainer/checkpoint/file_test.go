package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/file"
)

// A file of tensors gives back those that are asked for.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	a, b := []float32{1, -2, 3}, []float64{0.1}
	err := WriteFile(file.OS, path, nil, []Tensor{
		{Name: "a", Shape: []int{3}, F32: a}, {Name: "b", Shape: []int{1}, F64: b},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 3)
	into := []Tensor{{Name: "a", Shape: []int{3}, F32: got}}
	if err := ReadFile(path, into); err != nil || !slices.Equal(got, a) {
		t.Errorf("%v, %v", got, err)
	}
	for want, other := range map[string]Tensor{
		`tensor "c" is missing`:                  {Name: "c", Shape: []int{3}, F32: got},
		`tensor "a" has shape 3, expected 3 x 1`: {Name: "a", Shape: []int{3, 1}, F32: got},
		`tensor "b" is F64, expected F32`:        {Name: "b", Shape: []int{1}, F32: got[:1]},
	} {
		err := ReadFile(path, []Tensor{other})
		if err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	if err := ReadFile(filepath.Join(path, "..", "none"), into); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.Truncate(path, 40); err != nil {
		t.Fatal(err)
	}
	if err := ReadFile(path, into); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("cut short: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if mkfifo(path) == nil {
		if err := ReadFile(path, into); err == nil {
			t.Error("a named pipe was read")
		}
	}
}

// Headers alone say what a file holds; with metadata, any changed byte of it is found.
func TestMetadata(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	metadata := map[string]string{"by": `a "test"`, "format": "pt"}
	tensors := []Tensor{
		{Name: "a", Shape: []int{1, 3}, F32: []float32{1, -2, 3}}, {Name: "b", F64: []float64{0.1}},
	}
	if err := WriteFile(file.OS, path, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := []Entry{{"b", "F64", []int64{}, 8}, {"a", "F32", []int64{1, 3}, 12}}
	if diff := cmp.Diff(want, f.Entries()); diff != "" {
		t.Error(diff)
	}
	if m := f.Metadata(); m["by"] != metadata["by"] || len(m["sha256"]) != 64 {
		t.Errorf("metadata %q", m)
	}
	info, err := os.Stat(path)
	if err != nil || f.Size() != info.Size() {
		t.Errorf("size %d, expected %d, %v", f.Size(), info.Size(), err)
	}
	if err := f.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Verify(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("verified although the context has ended: %v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		changed := slices.Clone(whole)
		changed[i] ^= 2
		if err := os.WriteFile(path, changed, 0o666); err != nil {
			t.Fatal(err)
		}
		other, err := OpenFile(path)
		if err == nil {
			err = other.Verify(t.Context())
			other.Close()
		}
		if err == nil {
			t.Errorf("byte %d is another one, and nothing is found", i)
		}
	}
}

// A file without metadata has no checksum, and says so.
func TestNoChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	tensors := []Tensor{{Name: "a", Shape: []int{1}, F32: []float32{1}}}
	if err := WriteFile(file.OS, path, nil, tensors); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Verify(t.Context()); !errors.Is(err, ErrNoChecksum) || f.Metadata() != nil {
		t.Errorf("%v, metadata %v", err, f.Metadata())
	}
}

// OpenState describes a checkpoint without reading its tensors, and finds what is cut short.
func TestOpenState(t *testing.T) {
	dir := mustSave(t, t.TempDir(), Meta{Step: 7, Imported: "a state"}, state(), 0)
	f, meta, err := OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Entries()) != len(state()) || meta.Step != 7 {
		t.Errorf("%d tensors, step %d", len(f.Entries()), meta.Step)
	}
	f.Close()
	_, err = LoadSome(dir, []Tensor{{Name: "none", F32: []float32{1}}})
	wantError(t, err, "imported from an export, without a state", `"none" is missing`)
	if err := os.Truncate(filepath.Join(dir, stateName), 20); err != nil {
		t.Fatal(err)
	}
	_, _, err = OpenState(dir)
	wantError(t, err, stateName, "damaged", "20 bytes")
}
