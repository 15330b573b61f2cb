package export

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// Every test of the package must end the goroutines that it started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// samples draws from a run.
func samples(t *testing.T, dir string, ema bool) []float32 {
	t.Helper()
	g, err := open(t, dir).Generator(ema, 1)
	check(t, err)
	defer g.Close()
	x := make([]float32, 3*g.Dim())
	check(t, g.Sample(t.Context(), x, 3, generate.Spec{Solver: "ancestral", Steps: 3, Seed: 5}))
	return x
}

// imported makes a run of an export.
func imported(t *testing.T, path string) string {
	t.Helper()
	f, err := Open(path)
	check(t, err)
	defer f.Close()
	m, err := f.Load(t.Context())
	check(t, err)
	dir := filepath.Join(t.TempDir(), "imported")
	check(t, os.Mkdir(dir, 0o777))
	check(t, m.Store(&run.Writer{Dir: dir, Files: file.OS}))
	return dir
}

// A run that was exported and imported again draws the same samples, bit for bit, and so does one
// that is exported once more.
func TestRoundTrip(t *testing.T) {
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			r := examples[name].store(t)
			for _, o := range []Options{{}, {Raw: true}} {
				want := samples(t, r.Dir, !o.Raw)
				path := exported(t, r, o, "model.safetensors")
				dir := imported(t, path)
				if got := samples(t, dir, !o.Raw); !slices.Equal(got, want) {
					t.Errorf("%+v: imported, it draws\n%v, expected\n%v", o, got, want)
				}
				again := imported(t, exported(t, open(t, dir), o, "model.npz"))
				if got := samples(t, again, !o.Raw); !slices.Equal(got, want) {
					t.Errorf("%+v: from .npz, it draws\n%v, expected\n%v", o, got, want)
				}
			}
		})
	}
}

// Exports of one run have the same bytes.
func TestSameBytes(t *testing.T) {
	r := examples["unet"].store(t)
	for _, name := range []string{"m.safetensors", "m.npz", "m.onnx", "m.score.onnx"} {
		path := exported(t, r, Options{}, "m"+filepath.Ext(name))
		a, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		check(t, err)
		path = exported(t, r, Options{}, "m"+filepath.Ext(name))
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		check(t, err)
		if !slices.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

// Particles and their rows come back.
func TestParticles(t *testing.T) {
	r := examples["mlp-classes"].store(t)
	dir := imported(t, exported(t, r, Options{Particles: true}, "m.safetensors"))
	dir = imported(t, exported(t, open(t, dir), Options{Particles: true}, "m.npz"))
	var z [2][]float32
	for i, from := range []string{r.Dir, dir} {
		latest, err := checkpoint.Latest(from)
		check(t, err)
		cloud := make([]float32, 6*1*5)
		z[i] = cloud
		_, err = checkpoint.LoadSome(latest,
			[]checkpoint.Tensor{{Name: "cloud/z", Shape: []int{6, 1, 5}, F32: cloud}})
		check(t, err)
	}
	if !slices.Equal(z[0], z[1]) {
		t.Errorf("particles %v, expected %v", z[1], z[0])
	}
	want, err := run.ReadRows(r.Dir)
	check(t, err)
	for i := range want {
		want[i].File = "" // which an export does not have
	}
	got, err := run.ReadRows(dir)
	check(t, err)
	if !slices.Equal(got, want) || !got[2].Flipped || got[4].Label != -1 || got[3].Source != 7 {
		t.Errorf("rows %v, expected %v", got, want)
	}
	whole := exported(t, r, Options{Particles: true}, "m.npz")
	machine = func() int64 { return 100 }
	t.Cleanup(func() { machine = memory.Machine })
	_, err = FromRun(r, Options{Particles: true})
	wantError(t, err, "take 120 B of memory, and there are 100 B", "state.safetensors", "cloud/z")
	f, err := Open(whole)
	check(t, err)
	defer f.Close()
	_, err = f.Load(t.Context())
	wantError(t, err, whole, "take 120 B of memory", "export the run without them")
	_, err = FromRun(examples["vae"].store(t), Options{Particles: true})
	wantError(t, err, "has no particles: its method, vae, has an encoder")
	check(t, os.Remove(filepath.Join(r.Dir, "rows.csv")))
	_, err = FromRun(r, Options{Particles: true})
	wantError(t, err, "rows.csv is missing")
}

// What an imported run lacks is said where it is missed, with what to do.
func TestImportedLacks(t *testing.T) {
	r := examples["mlp"].store(t)
	dir := imported(t, exported(t, r, Options{}, "m.safetensors"))
	_, err := open(t, dir).Generator(false, 1)
	wantError(t, err, "imported from an export", "(leave out --raw)",
		`"decoder.layer0.weight" is missing`)
	_, err = FromRun(open(t, dir), Options{Particles: true})
	wantError(t, err, "imported from an export without particles: export the original run")
	_, err = run.ReadRows(dir)
	wantError(t, err, "imported from an export without particles: export the original run")
	wantError(t, run.CheckSaved(dir), "has no state to resume",
		"copy the directory of the original run")
	if state, err := run.StateOf(dir); err != nil || state != run.Imported {
		t.Errorf("state %v, %v", state, err)
	}
	dir = imported(t, exported(t, r, Options{Raw: true}, "m.safetensors"))
	_, err = open(t, dir).Generator(true, 1)
	wantError(t, err, "(give --raw)")
}
