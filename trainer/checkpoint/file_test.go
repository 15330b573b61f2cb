package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
)

// A file of tensors gives back those that are asked for.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	a, b := []float32{1, -2, 3}, []float64{0.1}
	err := WriteFile(file.OS, path, []Tensor{
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
