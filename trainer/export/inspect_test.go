package export

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
)

// files writes every kind of file of an example, and returns the directory.
func files(t testing.TB, name string) string {
	t.Helper()
	m, err := FromRun(examples[name].store(t), Options{})
	check(t, err)
	dir := t.TempDir()
	for _, ending := range Endings {
		check(t, m.Write(file.OS, filepath.Join(dir, "m"+ending)))
	}
	return dir
}

// text is what a report prints.
func text(t *testing.T, path string) string {
	t.Helper()
	r, err := Inspect(t.Context(), path, false)
	check(t, err)
	var out strings.Builder
	check(t, r.WriteText(&out, true))
	return regexp.MustCompile(` {2,}`).ReplaceAllString(out.String(), "  ")
}

// Every kind of file says what it is.
func TestInspect(t *testing.T) {
	dir := files(t, "conv-encoder")
	for name, want := range map[string][]string{
		"m.safetensors": {"export", "safetensors, format 1", "vae+diffusion", "averaged", "step 40",
			"images of 4 x 4 x 3", "latents  2 x 2 x 2", "classes  2",
			"networks  conv decoder from 2 x 2 x 2 to 4 x 4 x 3, 1,999 parameters; unet",
			"decoder.in.weight", "F32, 8 x 2 x 3 x 3", "yes, every byte"},
		"m.npz": {"export", "npz, format 1", "decoder.in.weight", "F32, 8 x 2 x 3 x 3"},
		"m.onnx": {"onnx, IR version 8, opset 17", "z x n x 8, condition x n x 2",
			"x x n x 4 x 4 x 3"},
		"m.score.onnx":   {"z x n x 8, lambda x n x 1, condition x n x 2", "eps x n x 8"},
		"m.encoder.onnx": {"x x n x 4 x 4 x 3", "mean x n x 8, logvar x n x 8", "yes, every byte"},
	} {
		got := text(t, filepath.Join(dir, name))
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q is missing in\n%s", name, part, got)
			}
		}
	}
	r := examples["mlp"].store(t)
	got := text(t, r.Dir)
	latest, err := checkpoint.Latest(r.Dir)
	check(t, err)
	for _, part := range []string{"run, unfinished", "images of 2 x 3", "cloud/z", "step-000040",
		"prior/ema", "networks  mlp decoder from 5 to 6"} {
		if !strings.Contains(got, part) {
			t.Errorf("run: %q is missing in\n%s", part, got)
		}
	}
	if got := text(t, latest); !strings.Contains(got, "checkpoint, format 3") {
		t.Errorf("checkpoint:\n%s", got)
	}
	raw, err := Inspect(t.Context(), latest, true)
	check(t, err)
	out, err := json.Marshal(raw)
	if err != nil || !strings.Contains(string(out), `"checked":false`) {
		t.Errorf("%s, %v", out, err)
	}
}

// Any changed byte is found, and so is any length: by Inspect, and by Load before it reads a
// tensor.
func TestDamageIsFound(t *testing.T) {
	dir := files(t, "mlp")
	for _, name := range []string{"m.safetensors", "m.npz", "m.onnx"} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		check(t, err)
		damaged := func(what string, raw []byte) {
			t.Helper()
			check(t, os.WriteFile(path, raw, 0o666))
			r, err := Inspect(t.Context(), path, false)
			if err == nil && r.Problem == "" && !harmless(t, name, path, whole) {
				t.Errorf("%s, %s: Inspect finds nothing", name, what)
			}
			if name == "m.onnx" {
				return
			}
			if f, err := Open(path); err == nil {
				if _, err := f.Load(t.Context()); err == nil && !harmless(t, name, path, whole) {
					t.Errorf("%s, %s: Load finds nothing", name, what)
				}
				f.Close()
			}
		}
		for at := 0; at < len(whole); at += max(1, len(whole)/61) {
			raw := slices.Clone(whole)
			raw[at] ^= 4
			damaged(fmt.Sprintf("a bit of byte %d", at), raw)
		}
		for _, n := range []int{0, 1, 9, len(whole) / 2, len(whole) - 1} {
			damaged("cut short", whole[:n])
		}
	}
}

// harmless reports whether an .npz with a changed byte still holds the same: zip archives have
// dates and copies of their headers, which have no checksum and are not read.
func harmless(t *testing.T, name, path string, whole []byte) bool {
	t.Helper()
	if name != "m.npz" {
		return false
	}
	again, err := Open(path)
	check(t, err)
	defer again.Close()
	m, err := again.Load(t.Context())
	if err != nil {
		return false
	}
	other := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(other, whole, 0o666))
	f, err := Open(other)
	check(t, err)
	defer f.Close()
	want, err := f.Load(t.Context())
	check(t, err)
	for i, tensor := range want.tensors {
		if !slices.Equal(tensor.F32, m.tensors[i].F32) {
			return false
		}
	}
	return m.Description.Config == want.Description.Config
}

// Files of others are refused with what they are, and with what was expected.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	onnx := filepath.Join(files(t, "mlp"), "m.onnx")
	plain := filepath.Join(dir, "plain.safetensors")
	check(t, checkpoint.WriteFile(file.OS, plain, nil,
		[]checkpoint.Tensor{{Name: "a.weight", Shape: []int{2}, F32: []float32{1, 2}}}))
	other := filepath.Join(dir, "other")
	check(t, os.WriteFile(other, []byte("model: not an export\n"), 0o666))
	zip := filepath.Join(dir, "zip.npz")
	check(t, os.WriteFile(zip, append([]byte("PK\x05\x06"), make([]byte, 18)...), 0o666))
	newer := filepath.Join(dir, "newer.safetensors")
	check(t, checkpoint.WriteFile(file.OS, newer,
		map[string]string{"plume": `{"format": 9, "version": "v7.1"}`}, nil))
	for _, c := range []struct{ path, want string }{
		{onnx, "is an ONNX model, which holds a graph to compute with; expected a file that"},
		{plain, "is a safetensors file without the metadata plume"},
		{other, "of an unknown kind; expected a file that plume export wrote, .safetensors"},
		{zip, "is an .npz without the member plume.json"},
		{newer, "format 9, written by plume v7.1; this plume reads format 1: use that version"},
		{dir, "not a regular file"},
		{filepath.Join(dir, "none"), "no such file"},
	} {
		_, err := Open(c.path)
		wantError(t, err, c.path, c.want)
	}
	if got := text(t, plain); !strings.Contains(got, "no bytes were compared") ||
		!strings.Contains(got, "a.weight") {
		t.Errorf("another safetensors file:\n%s", got)
	}
	_, err := Inspect(t.Context(), other, false)
	wantError(t, err, "unknown kind", "the directory of a run or a checkpoint")
	_, err = Inspect(t.Context(), dir, false)
	wantError(t, err, "neither a run nor a checkpoint")
}

// A description that disagrees with the tensors is refused with the tensor's name, and without
// memory for what the file does not have.
func TestLoadRefuses(t *testing.T) {
	r := examples["mlp-classes"].store(t)
	for name, c := range map[string]struct {
		change func(m *Model)
		want   string
	}{
		"missing": {func(m *Model) { m.Tensors = m.Tensors[1:] },
			`tensor "decoder.layer0.weight" is missing`},
		"shape": {func(m *Model) { m.Tensors[0].Shape = []int{35} },
			`"decoder.layer0.weight" is F32 of shape [35], expected F32 of [7 5]`},
		"huge": {func(m *Model) {
			m.Config = strings.Replace(m.Config, "_widths = [7]", "_widths = [65536]", 1)
		}, "expected F32 of [65536 5]"},
		"key": {func(m *Model) { m.Config += "\nfrobnicate = 1\n" }, "unknown key frobnicate"},
		"keys": {func(m *Model) { m.Config = strings.Replace(m.Config, "epochs =", "# ", 1) },
			"expected the key epochs"},
		"classes": {func(m *Model) { m.Classes = nil }, "classes: counts of 0, expected 5"},
		"pixels":  {func(m *Model) { m.Data.Shape = Shape{1 << 20, 1 << 20, 1} }, "at most"},
		"weights": {func(m *Model) { m.Weights = "best" },
			`weights "best": expected averaged or raw`},
		"step": {func(m *Model) { m.Step = -1 }, "step -1"},
		"particles": {func(m *Model) { m.Particles = &Particles{Rows: 1 << 40, Each: 1} },
			`tensor "particles" is missing`},
		"none": {func(m *Model) { m.Particles = &Particles{} }, "expected 1 or more"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := FromRun(r, Options{})
			check(t, err)
			c.change(m)
			for _, ending := range []string{".safetensors", ".npz"} {
				path := filepath.Join(t.TempDir(), "m"+ending)
				check(t, m.Write(file.OS, path))
				f, err := Open(path)
				if err == nil {
					_, err = f.Load(t.Context())
					f.Close()
				}
				wantError(t, err, path, c.want)
			}
		})
	}
}

// FuzzExport gives the readers of exports and of ONNX models changed files: whatever they say, they
// must neither crash nor take memory that the file does not account for.
func FuzzExport(f *testing.F) {
	dir := files(f, "mlp")
	for _, name := range []string{"m.safetensors", "m.npz", "m.onnx"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		check(f, err)
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	path := filepath.Join(f.TempDir(), "fuzzed")
	f.Fuzz(func(t *testing.T, raw []byte) {
		check(t, os.WriteFile(path, raw, 0o666))
		if r, err := Inspect(t.Context(), path, false); err == nil {
			var out strings.Builder
			check(t, r.WriteText(&out, true))
		}
		e, err := Open(path)
		if err != nil {
			return
		}
		defer e.Close()
		_, _ = e.Load(t.Context())
	})
}
