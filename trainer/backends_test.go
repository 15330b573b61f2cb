package trainer

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBackendPackages: make test runs the tests of every package that choose among the backends of
// package blas in the build with OpenBLAS too. Those of the command are named one by one.
func TestBackendPackages(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(makefile), "backend_packages = ")
	if !found {
		t.Fatal("the Makefile has no backend_packages")
	}
	list, _, _ = strings.Cut(list, "\nbackend_scripts")
	tested := map[string]bool{"cmd/plume": true}
	for _, name := range strings.Fields(strings.ReplaceAll(list, "\\", " ")) {
		tested[strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/...")] = true
	}
	chooses := regexp.MustCompile(`\bblas\.(Available|Use|Open)\(|^package blas\b`)
	seen := 0
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !chooses.Match(text) {
			return err
		}
		seen++
		name, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		if !tested[filepath.ToSlash(name)] {
			t.Errorf("%s chooses a backend, and make test does not run it with OpenBLAS", path)
		}
		return nil
	})
	if err != nil || seen < 10 {
		t.Errorf("%v; %d files choose a backend, expected more", err, seen)
	}
}
