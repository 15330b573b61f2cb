package run

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
)

func TestCreateNumbered(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	for _, name := range []string{"00041-old-pgd", "100000-more-ipld", "99-not-ours", "notes"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := CreateNumbered(root, "my data/über", "vae")
	if want := filepath.Join(root, "100001-my-data--ber-vae"); err != nil || dir != want {
		t.Errorf("%s, %v, expected %s", dir, err, want)
	}
	root = filepath.Join(t.TempDir(), "fresh")
	dir, err = CreateNumbered(root, "digits", "ipld")
	if err != nil || filepath.Base(dir) != "00001-digits-ipld" {
		t.Errorf("%s, %v", dir, err)
	}
}

// The runs beside a run are the other directories that hold one, also seen from within it.
func TestBeside(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"b/config.toml", "a/run.json", "c/checkpoints", "notes/text"} {
		if err := os.MkdirAll(filepath.Join(root, path), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{filepath.Join(root, "a"), filepath.Join(root, "c")}
	if got := Beside(filepath.Join(root, "b")); !slices.Equal(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
	t.Chdir(filepath.Join(root, "b"))
	if got := Beside("."); !slices.Equal(got, []string{"../a", "../c"}) {
		t.Errorf("%v from within", got)
	}
	if got := Beside(filepath.Join(root, "none", "b")); got != nil {
		t.Errorf("%v beside what is not there", got)
	}
}

// Many callers at once, of different data: every number is given once.
func TestCreateNumberedRace(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	names := []string{"a", "b", "c", "d"}
	for i := range 32 {
		wg.Go(func() {
			if _, err := CreateNumbered(root, names[i%len(names)], "ipld"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 32 {
		t.Fatalf("%d directories, %v", len(entries), err)
	}
	var numbers []int
	for _, entry := range entries {
		n, ok := runNumber(entry.Name())
		if !ok || slices.Contains(numbers, n) {
			t.Errorf("%s: not a run, or its number is given twice", entry.Name())
		}
		numbers = append(numbers, n)
	}
}

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Create(dir); err != nil {
		t.Errorf("a directory with another's file: %v", err)
	}
	if err := on(dir).StoreConfig(method.Default()); err != nil {
		t.Fatal(err)
	}
	if err := Create(dir); err == nil || !strings.Contains(err.Error(), "--resume "+dir) ||
		!strings.Contains(err.Error(), "--out") {
		t.Errorf("a run's directory: %v", err)
	}
	if err := Create(filepath.Join(dir, "log.txt")); err == nil {
		t.Error("claimed a file")
	}
}

// Create refuses a directory with a file that a run would overwrite, and leaves the file alone.
func TestCreateRefusesWhatARunWrites(t *testing.T) {
	for name, isDir := range map[string]bool{
		"config.toml": false, "run.json": false, "metrics.jsonl": false,
		"samples": true, "checkpoints": true,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if isDir {
			path = filepath.Join(path, "precious")
			if err := os.Mkdir(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte("precious"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Create(dir); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("claimed a directory with %s: %v", name, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// on returns a writer of dir.
func on(dir string) *Writer { return &Writer{Dir: dir, Files: file.OS} }

// newRun makes the files that define the state of a run.
func newRun(t *testing.T, dir string, finished, checkpointed bool) {
	t.Helper()
	c := method.Default()
	err := Create(dir)
	if err == nil {
		err = on(dir).StoreConfig(c)
	}
	if err == nil {
		err = on(dir).StoreInfo(NewInfo(c, "f00", data.Shape{H: 8, W: 8, C: 1}))
	}
	if err == nil {
		err = markFinished(dir, finished)
	}
	if err == nil && checkpointed {
		w := checkpoint.Writer{Files: file.OS, RunDir: dir}
		state := []checkpoint.Tensor{{Name: "x", Shape: []int{1}, F32: []float32{1}}}
		var p *checkpoint.Pending
		if p, err = w.Begin(checkpoint.Meta{Method: "ipld"}, state); err == nil {
			_, err = p.Commit()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if err := on(dir).StoreConfig(method.Default()); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil || !reflect.DeepEqual(got.Config, method.Default()) {
		t.Errorf("%v, %+v", err, got)
	}
	path := filepath.Join(dir, configFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		"\nfriction = 0.3\n": "\n", "\nfriction = ": "\nfriction = -",
	} {
		changed := strings.Replace(string(text), old, new, 1)
		if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "config.toml") ||
			!strings.Contains(err.Error(), "friction") {
			t.Errorf("%q for %q: %v", new, old, err)
		}
	}
}

func TestInfo(t *testing.T) {
	dir := t.TempDir()
	want := NewInfo(method.Default(), "f00", data.Shape{H: 8, W: 8, C: 1})
	if err := on(dir).StoreInfo(want); err != nil {
		t.Fatal(err)
	}
	if err := markFinished(dir, true); err != nil {
		t.Fatal(err)
	}
	got, err := ReadInfo(dir)
	if err != nil || got.Finished == nil || got.Finished.Before(got.Started) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Finished = nil; got.CPU != want.CPU || got.Go == "" || got.Fingerprint != "f00" ||
		got.BLAS.Threads != want.BLAS.Threads || !got.Started.Equal(want.Started) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if err := os.WriteFile(filepath.Join(dir, infoFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadInfo(dir); err == nil || !strings.Contains(err.Error(), infoFile) {
		t.Errorf("broken run.json: %v", err)
	}
}

func TestReadInfoChecksTheShape(t *testing.T) {
	dir := t.TempDir()
	for shape, field := range map[data.Shape]string{
		{H: 0, W: 8, C: 1}: "H = 0", {H: 8, W: -8, C: 1}: "W = -8", {H: 8, W: 8, C: 2}: "C = 2",
		{H: 1 << 30, W: 1 << 30, C: 1}: "H x W x C",
	} {
		if err := on(dir).StoreInfo(Info{Shape: shape}); err != nil {
			t.Fatal(err)
		}
		_, err := ReadInfo(dir)
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, infoFile)) ||
			!strings.Contains(err.Error(), field) {
			t.Errorf("%v: %v, expected %q", shape, err, field)
		}
	}
}

// A diverged run does not count as unfinished until it is resumed.
func TestMarkDiverged(t *testing.T) {
	dir := t.TempDir()
	newRun(t, dir, false, true)
	for i, mark := range []func() error{
		func() error { return MarkDiverged(dir) },
		func() error { return markFinished(dir, false) },
		func() error { return markFinished(dir, true) },
	} {
		if err := mark(); err != nil {
			t.Fatal(err)
		}
		info, err := ReadInfo(dir)
		state, stateErr := StateOf(dir)
		if err != nil || stateErr != nil ||
			info.Diverged != (i == 0) || (info.Finished != nil) != (i == 2) ||
			state != []State{Diverged, Saved, Finished}[i] {
			t.Errorf("mark %d: diverged %v, finished %v, %v; %v, %v",
				i, info.Diverged, info.Finished, state, err, stateErr)
		}
	}
	if err := MarkDiverged(t.TempDir()); err == nil {
		t.Error("marked what is no run")
	}
}

func TestInfoDiffers(t *testing.T) {
	was := Info{
		Version: "v1.0.0", Platform: "linux/amd64", KernelPath: "avx512",
		BLAS: blas.LibraryInfo{Library: "OpenBLAS 0.3.21", Core: "Cooperlake", Threads: 1},
		CPU:  "one", Seed: 1, Data: "digits",
	}
	for _, test := range []struct {
		change func(now *Info)
		want   []string
	}{
		{func(*Info) {}, nil},
		{func(now *Info) { now.CPU, now.Data, now.BLAS.Threads = "another", "moved", 2 }, nil},
		{func(now *Info) { now.Version = "v1.1.0" }, []string{"version v1.1.0, was v1.0.0"}},
		{
			func(now *Info) { now.Platform = "linux/arm64" },
			[]string{"platform linux/arm64, was linux/amd64"},
		},
		{func(now *Info) { now.KernelPath = "avx2" }, nil},
		{
			func(now *Info) { now.BLAS.Core = "Haswell" },
			[]string{"BLAS core Haswell, was Cooperlake"},
		},
		{
			func(now *Info) { now.BLAS = blas.LibraryInfo{Library: "gonum"} },
			[]string{"BLAS gonum, was OpenBLAS 0.3.21", "BLAS core none, was Cooperlake"},
		},
	} {
		now := was
		test.change(&now)
		if got := was.Differs(now); !slices.Equal(got, test.want) {
			t.Errorf("got %q, expected %q", got, test.want)
		}
	}
}

// markFinished records whether a run has finished.
func markFinished(dir string, finished bool) error {
	var at *time.Time
	if finished {
		at = new(time.Time)
		*at = time.Now()
	}
	return on(dir).Amend(func(info *Info) { info.SetFinished(at) })
}
