package table_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
	"github.com/plume-ml/plume/trainer/table"
)

// old creates a file that is there already.
func old(t *testing.T, ending string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "table"+ending)
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// isOld reports whether the file is the one of old.
func isOld(t *testing.T, path string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) == "old"
}

// writeAll writes the content in two blocks and closes the table.
func writeAll(sys file.System, path string, c content) error {
	of, blocks := columns, func(lo, hi int) []any { return c.blocks(lo, hi) }
	if filepath.Ext(path) == ".npy" {
		of, blocks = columns[1:2], func(lo, hi int) []any { return []any{c.z[3*lo : 3*hi]} }
	}
	w, err := table.Begin(sys, io.Discard, path, of)
	if err != nil {
		return err
	}
	defer w.Abandon()
	half := len(c.row) / 2
	if err := w.Append(blocks(0, half)...); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Append(blocks(half, len(c.row))...); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

// Each operation of the file system fails in turn, as on a full disk. An error names the file and
// leaves nothing beside the old one; only the last operation, which makes the new name durable,
// comes too late for that. After it, the spool is removed, which does no harm when it fails.
func TestFaults(t *testing.T) {
	c := example(1500)
	for _, ending := range table.Endings() {
		count := &faultfs.System{Cached: true}
		if err := writeAll(count, old(t, ending), c); err != nil {
			t.Fatal(err)
		}
		if count.Ops() < 8 {
			t.Errorf("%s: only %d operations", ending, count.Ops())
		}
		for k := range count.Ops() {
			path := old(t, ending)
			var failed faultfs.Op
			fault := faultfs.FailAt(k+1, syscall.ENOSPC)
			sys := &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
				err := fault(op)
				if err != nil {
					failed = op
				}
				return err
			}}
			err := writeAll(sys, path, c)
			switch {
			case err == nil && strings.HasSuffix(failed.Path, ".columns") && !isOld(t, path):
				continue
			case err == nil, !errors.Is(err, syscall.ENOSPC), !strings.Contains(err.Error(), path):
				t.Errorf("%s: operation %d, %s: %v", ending, k+1, failed.Kind, err)
			case isOld(t, path) == (failed.Kind == "syncdir"):
				t.Errorf("%s: operation %d, %s: not the file expected", ending, k+1, failed.Kind)
			}
			onlyFile(t, path)
		}
	}
}

// An abandoned table leaves what was there before, whenever it is abandoned.
func TestAbandon(t *testing.T) {
	c := example(100)
	for _, ending := range []string{".npz", ".csv", ".parquet"} {
		path := old(t, ending)
		w, err := table.Create(path, columns...)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(c.blocks(0, 50)...); err != nil {
			t.Error(err)
		}
		w.Abandon()
		onlyFile(t, path)
		if err := w.Append(c.blocks(50, 100)...); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		if err := w.Close(); err == nil || !isOld(t, path) {
			t.Errorf("%s: the abandoned table was closed with %v", ending, err)
		}
		if err := writeAll(file.OS, path, c); err != nil || isOld(t, path) {
			t.Errorf("%s: the next table: %v", ending, err)
		}
		w.Abandon()
		onlyFile(t, path)
		if isOld(t, path) {
			t.Errorf("%s: the old table came back", ending)
		}
	}
}

// A signal abandons a table while another goroutine writes it.
func TestAbandonWhileWriting(t *testing.T) {
	const most = 100000 // blocks, a gigabyte
	c := example(100)
	for _, ending := range []string{".npz", ".csv", ".parquet"} {
		path := old(t, ending)
		w, err := table.Create(path, columns...)
		if err != nil {
			t.Fatal(err)
		}
		begun, done := make(chan struct{}), make(chan error)
		go func() {
			for i := 0; err == nil && i < most; i++ {
				err = w.Append(c.blocks(0, 100)...)
				if i == 2 {
					close(begun)
				}
			}
			done <- errors.Join(err, w.Close())
		}()
		<-begun
		w.Abandon()
		if err := <-done; !errors.Is(err, os.ErrClosed) || !isOld(t, path) {
			t.Errorf("%s: %v", ending, err)
		}
		onlyFile(t, path)
	}
}

// What cannot be written is refused before long work, with a remedy.
func TestCheckPath(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"x.txt": ".npy, .npz, .csv, .parquet", "x": "expected a name", "x.parket": ".parquet",
		"none/x.csv": "create it first", "x.npy": "holds one array",
		"folder.csv": "no regular file", "x.csv": "", "x.npz": "", "x.parquet": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "folder.csv"), 0o777); err != nil {
			t.Fatal(err)
		}
		err := table.CheckPath(filepath.Join(dir, name), columns...)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", name, err, want)
		}
		w, err := table.Create(filepath.Join(dir, name), columns...)
		if (err == nil) != (want == "") {
			t.Errorf("%s: Create says %v", name, err)
		}
		if err == nil {
			w.Abandon()
		}
	}
	for want, of := range map[string][]table.Column{
		"two columns are named \"z_1\"": {{Name: "z", Dims: []int{2}}, {Name: "z_1"}},
		"has no name":                   {{Kind: table.Int64}},
		"expected UTF-8":                {{Name: "\xff"}},
	} {
		if err := table.CheckPath("-", of...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; expected %q", of, err, want)
		}
	}
}

// Strings that a format or a reader would change are refused, by row and column.
func TestBadStrings(t *testing.T) {
	path := old(t, ".csv")
	for _, bad := range []string{"\xff", "a\x00"} {
		class := table.Column{Name: "class", Kind: table.String}
		w, err := table.Create(path, class)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(w.Append([]string{"fine"}), w.Append([]string{"fine", bad}))
		if err == nil || !strings.Contains(err.Error(), `row 2 of column "class"`) {
			t.Errorf("%q: %v", bad, err)
		}
		if w.Append([]string{"fine"}) == nil || w.Close() == nil || !isOld(t, path) {
			t.Error("the table is written nevertheless")
		}
		onlyFile(t, path)
	}
}

func TestPanics(t *testing.T) {
	w, err := table.Begin(file.OS, io.Discard, "-", columns[:2])
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(){
		"columns":  func() { w.Append([]int64{1}) },
		"kind":     func() { w.Append([]float32{1}, make([]float32, 3)) },
		"type":     func() { w.Append(1, make([]float32, 3)) },
		"cells":    func() { w.Append([]int64{1}, make([]float32, 4)) },
		"rows":     func() { w.Append([]int64{1}, make([]float32, 6)) },
		"no table": func() { table.CheckPath("-") },
		"shape":    func() { table.CheckPath("-", table.Column{Name: "x", Dims: []int{0}}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic: %s", name)
				}
			}()
			call()
		}()
	}
}
