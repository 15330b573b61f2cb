package reference

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// CutScratch cuts the one file without a name that this process has open in dir, as a memory.Mapping
// does, to the given size: Linux shows it in /proc. Elsewhere the test is skipped.
func CutScratch(t testing.TB, dir string, size int64) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a file without a name cannot be reached here")
	}
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, fd := range open {
		target, err := os.Readlink(fd)
		if err == nil && filepath.Dir(target) == dir && strings.HasSuffix(target, " (deleted)") {
			found = append(found, fd)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d files without a name in %s, expected one", len(found), dir)
	}
	if err := os.Truncate(found[0], size); err != nil {
		t.Fatal(err)
	}
}
