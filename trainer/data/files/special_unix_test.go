//go:build unix

package files_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/data/files"
)

// Special files are skipped, and opening a FIFO does not block.
func TestSpecialFiles(t *testing.T) {
	dir := unpack(t, []member{{"a.png", "a", ""}})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.png"), 0o644); err != nil {
		t.Skip("no named pipes on this file system: ", err)
	}
	if err := os.Symlink(os.DevNull, filepath.Join(dir, "null.png")); err != nil {
		t.Fatal(err)
	}
	listOf(t, dir).want(t, "folder", map[string]string{"a.png": "a"}, map[string][]string{
		"special files": {"fifo.png", "null.png"},
	})
	if s, err := files.Open(t.Context(), filepath.Join(dir, "fifo.png")); s != nil || err != nil {
		t.Errorf("a FIFO: %v, %v", s, err)
	}
}
