package export

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
)

// Where particles start comes back, of rows and of patches, and one that cuts values off.
func TestStart(t *testing.T) {
	for _, name := range []string{"columns", "unet-deep"} {
		want := startTensors(t, examples[name].store(t))
		for _, bounded := range []uint32{0, 1} {
			r := examples[name].store(t)
			want[len(want)-1].U32[0] = bounded
			check(t, checkpoint.WriteFile(file.OS, filepath.Join(r.Dir, "start.safetensors"),
				map[string]string{"plume": "start of particles"}, want))
			for _, ending := range []string{".safetensors", ".npz"} {
				path := exported(t, r, Options{}, "m"+ending)
				got := startTensors(t, open(t, imported(t, path)))
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s%s: %v, expected %v", name, ending, got, want)
				}
			}
		}
	}
	if c, err := open(t, imported(t, exported(t, examples["mlp"].store(t), Options{},
		"m.npz"))).Start(); c != nil || err != nil {
		t.Errorf("a start of a run without: %v, %v", c, err)
	}
}

// An export whose start has other sizes than the model, or lacks a part, is refused.
func TestStartRefused(t *testing.T) {
	r := examples["columns"].store(t)
	for part, want := range map[string]string{
		"start.mean":       `tensor "start.mean" is F64 of shape [1], expected F64 of [6]`,
		"start.components": `tensor "start.components" is F64 of shape [1]`,
		"start.variances":  "a start at 1 components, 4 of them scaled: expected 1 to 4",
	} {
		m, err := FromRun(r, Options{})
		check(t, err)
		for i, x := range m.Tensors {
			if x.Name == part {
				m.Tensors[i].Shape, m.Tensors[i].F64 = []int{1}, x.F64[:1]
			}
		}
		path := filepath.Join(t.TempDir(), "m.npz")
		check(t, m.Write(file.OS, path))
		f, err := Open(path)
		check(t, err)
		_, err = f.Load(t.Context())
		wantError(t, err, path, want)
		check(t, f.Close())
	}
}

func startTensors(t *testing.T, r *run.Run) []checkpoint.Tensor {
	t.Helper()
	c, err := r.Start()
	check(t, err)
	if c == nil {
		t.Fatal("the run has no start")
	}
	return c.Tensors()
}
