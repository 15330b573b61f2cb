package reference

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// CutScratch truncates the one unnamed file that this process has open in dir, such as that of a
// memory.Mapping, to the given size. It finds the file in Linux's /proc; on other systems the test
// is skipped.
func CutScratch(t testing.TB, dir string, size int64) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this test finds unnamed files through /proc, which is missing here")
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
		t.Fatalf("%d unnamed files in %s, expected one", len(found), dir)
	}
	if err := os.Truncate(found[0], size); err != nil {
		t.Fatal(err)
	}
}
