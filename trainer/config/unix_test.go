//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe that nobody writes to is refused at once.
func TestConfigIsAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	c := Common()
	_, err := c.LoadFile(path)
	if err == nil || !strings.Contains(err.Error(), "not a regular file (prw") {
		t.Errorf("error %v", err)
	}
}
