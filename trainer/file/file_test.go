package file_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each operation fails in turn, once alone and once with all that follow, as after a kill. The file
// has the old content or the new, and the next Write leaves nothing beside it.
func TestWriteFails(t *testing.T) {
	for _, dead := range []bool{false, true} {
		const ops = 7 // remove, open, write, sync, close, rename, syncdir
		for k := 1; k <= ops; k++ {
			path := filepath.Join(t.TempDir(), "run.json")
			if err := file.WriteBytes(file.OS, path, []byte("old")); err != nil {
				t.Fatal(err)
			}
			if dead { // a temporary file from an earlier failure is in the way
				if err := os.WriteFile(file.Temporary(path), []byte("torn"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			sys := &faultfs.System{Fault: faultfs.FailAt(k, syscall.ENOSPC)}
			if dead {
				sys.Fault = faultfs.DeadFrom(k)
			}
			err := file.WriteBytes(sys, path, []byte("new"))
			got := content(t, path)
			switch {
			case err == nil && got != "new":
				t.Errorf("operation %d: no error, but the file has %q", k, got)
			case err != nil && !file.Failed(err):
				t.Errorf("operation %d: %v does not count as a failure of the file system", k, err)
			case got != "old" && got != "new":
				t.Errorf("operation %d: the file has %q", k, got)
			}
			if k == ops && err == nil {
				t.Errorf("operation %d is not the last: no error", k)
			}
			if err := file.WriteBytes(file.OS, path, []byte("next")); err != nil ||
				content(t, path) != "next" {
				t.Errorf("operation %d: the next write gives %q, %v", k, content(t, path), err)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("operation %d: left behind: %v", k, entries)
			}
		}
	}
	sys := &faultfs.System{}
	if err := file.WriteBytes(sys, filepath.Join(t.TempDir(), "f"), nil); err != nil ||
		sys.Ops() < 6 {
		t.Errorf("an empty file: %d operations, %v", sys.Ops(), err)
	}
}

// An error of the callback is returned, and no file appears.
func TestWriteCallbackFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	broken := errors.New("no content")
	err := file.Write(file.OS, path, func(io.Writer) error { return broken })
	if !errors.Is(err, broken) || file.Failed(err) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there")
	}
}

// Processes that write the same file use different temporary files.
func TestWritersDoNotShareATemporaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "samples.png")
	other := filepath.Join(filepath.Dir(path), ".tmp-OTHERONE-samples.png")
	if err := os.WriteFile(other, []byte("under way"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := file.WriteBytes(file.OS, path, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if content(t, path) != "mine" || content(t, other) != "under way" {
		t.Errorf("%q, %q", content(t, path), content(t, other))
	}
}

// RemoveStale removes temporary files and nothing else.
func TestRemoveStale(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".tmp-OTHERONE-run.json", ".tmp-samples", "run.json", ".latest"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".tmp-directory"), 0o777); err != nil {
		t.Fatal(err)
	}
	file.RemoveStale(file.OS, dir)
	file.RemoveStale(file.OS, filepath.Join(dir, "none"))
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); err != nil || got != ".latest .tmp-directory run.json" {
		t.Errorf("%s, %v", got, err)
	}
}

// After Abandon, an unfinished Write leaves no file.
func TestAbandon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "samples.png")
	err := file.Write(file.OS, path, func(w io.Writer) error {
		if err := file.Abandon(file.OS, path); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) > 0 {
			t.Errorf("%v, %v", entries, err)
		}
		return err
	})
	if err == nil {
		t.Error("no error although the temporary file was removed")
	}
}

func TestFailed(t *testing.T) {
	_, missing := os.Open(filepath.Join(t.TempDir(), "missing"))
	rename := os.Rename(filepath.Join(t.TempDir(), "a"), "b")
	for _, err := range []error{missing, rename, os.NewSyscallError("write", syscall.EIO)} {
		if !file.Failed(err) || !file.Failed(errors.Join(errors.New("x"), err)) {
			t.Errorf("%v does not count as a failure of the file system", err)
		}
	}
	if file.Failed(nil) || file.Failed(io.ErrUnexpectedEOF) {
		t.Error("another error counts as a failure of the file system")
	}
	err := file.WriteBytes(file.OS, filepath.Join(t.TempDir(), "none", "f"), nil)
	if !file.Failed(err) || !strings.Contains(err.Error(), "none") {
		t.Errorf("no directory: %v", err)
	}
}

// A file under way can be read and written over, and appears with Commit.
func TestPending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	p, err := file.Begin(file.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p, "0 rows, and so on"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WriteAt([]byte("7"), 0); err != nil {
		t.Fatal(err)
	}
	r, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if text, err := io.ReadAll(r); err != nil || string(text) != "7 rows, and so on" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before Commit")
	}
	if err := errors.Join(p.Commit(), p.Abandon()); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "7 rows, and so on" {
		t.Errorf("%q", got)
	}
}

// An abandoned file leaves the old one; its writer, perhaps in another goroutine, gets errors.
func TestPendingAbandoned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := file.Begin(file.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Abandon(), p.Abandon()); err != nil {
		t.Error(err)
	}
	if _, err := p.Write(make([]byte, 1<<16)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("written: %v", err)
	}
	if err := p.Commit(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("committed: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); len(entries) != 1 || err != nil ||
		content(t, path) != "old" {
		t.Errorf("the directory holds %v, %v, %q", entries, err, content(t, path))
	}
}

// Copy copies everything, stops when its context ends, and returns errors of both sides.
func TestCopy(t *testing.T) {
	text := strings.Repeat("plume ", 20_000)
	var got strings.Builder
	if err := file.Copy(t.Context(), &got, strings.NewReader(text)); err != nil ||
		got.String() != text {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	got.Reset()
	err := file.Copy(ended, &got, strings.NewReader(text))
	if !errors.Is(err, context.Canceled) || got.Len() >= len(text) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	broken := errors.New("broken")
	if err := file.Copy(t.Context(), &got, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("reading: %v", err)
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if err := file.Copy(t.Context(), w, strings.NewReader(text)); !errors.Is(err, broken) {
		t.Errorf("writing: %v", err)
	}
}
