package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// Save and Load return an error if the mapped file of a tensor was truncated. Save then leaves the
// old checkpoint as it was.
func TestMappedTensors(t *testing.T) {
	const n = 3 * blockLen
	dir, run := t.TempDir(), t.TempDir()
	m, err := memory.Map(t.Context(), dir, 4*n)
	if err != nil {
		t.Skip("files cannot be mapped on this system: ", err)
	}
	defer m.Close()
	tensors := []Tensor{{Name: "z", Shape: []int{n}, F32: m.Floats(0, n)}}
	for i := range tensors[0].F32 {
		tensors[0].F32[i] = float32(i)
	}
	saved := mustSave(t, run, Meta{Step: 1}, tensors, 0)
	clear(tensors[0].F32)
	if _, err := Load(saved, tensors); err != nil || tensors[0].F32[n-1] != n-1 {
		t.Errorf("loaded %v, %v", tensors[0].F32[n-1], err)
	}
	reference.CutScratch(t, dir, 4*blockLen)
	if _, err := save(run, Meta{Step: 2}, tensors, 0); !errors.Is(err, memory.ErrMapping) {
		t.Errorf("saved: %v", err)
	}
	if _, err := Load(saved, tensors); !errors.Is(err, memory.ErrMapping) {
		t.Errorf("loaded: %v", err)
	}
	if got := names(t, run); !slices.Equal(got, []string{"latest", "step-000001"}) {
		t.Errorf("the run has %v", got)
	}
	if latest, err := Latest(run); err != nil || filepath.Base(latest) != "step-000001" {
		t.Errorf("the newest is %s, %v", latest, err)
	}
	if _, err := os.Stat(filepath.Join(saved, stateName)); err != nil {
		t.Error(err)
	}
}
