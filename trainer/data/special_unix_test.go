//go:build unix

package data

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Special files are refused without opening them, which could block.
func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "x.npy")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes on this file system: ", err)
	}
	_, err := Open(t.Context(), pipe, Options{})
	wantError(t, err, pipe, "is a named pipe", "written to a file first")
	_, err = Open(t.Context(), os.DevNull, Options{})
	wantError(t, err, os.DevNull, "is a device")
	if _, err = Open(t.Context(), dir, Options{}); err == nil {
		t.Error("a directory of a pipe is opened")
	}
	named := filepath.Join(t.TempDir(), "images.npy") // a directory with the name of a file
	write(t, named, "images", idx([]uint32{3, 2, 2}, ramp(12)))
	wantBytes(t, gather(mustOpen(t, named, Options{})), ramp(12))
}

// Labels are not read from a pipe, which could block.
func TestLabelsOfPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes on this file system: ", err)
	}
	pictures := folderOf(t, pngFiles(t, "a.png", "b.png"))
	_, err := Open(t.Context(), pictures, Options{Labels: pipe})
	wantError(t, err, "--labels", pipe, "is not a file")
}
