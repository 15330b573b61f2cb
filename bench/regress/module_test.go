package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// toy writes a module with benchmarks of the same name in two packages, and one without any.
func toy(t *testing.T, gomod string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":        "module example.org/toy\n\ngo 1.26.0\n" + gomod,
		"a/a_test.go":   "package a\n\nimport \"testing\"\n\n" + reports("X", "1000"),
		"b/c/c_test.go": "package c_test\n\nimport \"testing\"\n\n" + reports("X", "2000"),
		"d/d.go":        "package d\n",
		"d/d_test.go":   "package d\n\nimport \"testing\"\n\nfunc TestD(*testing.T) {}\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// quick are flags of rounds that take no time.
var quick = []string{"-benchtime", "1x", "-count", "4"}

// TestPackages: benchmarks of the same name in two packages are told apart, patterns choose among
// packages, and the baseline of a module without plume's kernels does not name any.
func TestPackages(t *testing.T) {
	dir := toy(t, "")
	t.Chdir(dir)
	if code := run(append([]string{"save", "-baseline"}, quick...)); code != 0 {
		t.Fatalf("save -baseline: exit code %d", code)
	}
	files, err := filepath.Glob(filepath.Join(dir, "bench", "baseline", "*.txt"))
	if err != nil || len(files) != 1 || strings.Contains(files[0], "avx") {
		t.Fatalf("baselines %v, %v", files, err)
	}
	r, err := readFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, ns := range map[string]float64{
		"example.org/toy/a.X": 1000, "example.org/toy/b/c.X": 2000,
	} {
		var values []float64
		for s, v := range r.values {
			if strings.HasPrefix(s.name, name) && s.unit == "sec/op" {
				values = v
			}
		}
		if len(values) != 4 || values[3] != ns*1e-9 {
			t.Errorf("%s: %v", name, values)
		}
	}
	write := func(ns string) {
		text := "package a\n\nimport \"testing\"\n\n" + reports("X", ns)
		path := filepath.Join(dir, "a", "a_test.go")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	diff := func(args ...string) int {
		return run(append(append([]string{"diff"}, quick...), args...))
	}
	write("1500")
	for _, c := range []struct {
		pattern string
		code    int
	}{
		{"./...", exitSlower}, {"./a", exitSlower}, {"./b/...", 0}, {"./d", exitNoVerdict},
		{"./absent", exitNoVerdict},
	} {
		if code := diff(c.pattern); code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.pattern, code, c.code)
		}
	}
	if code := diff("-threshold", "60"); code != 0 {
		t.Errorf("within the threshold: exit code %d", code)
	}
}

// TestHelp: help goes to stdout and begins with examples, whose flags exist.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{
		{"-h"}, {"--help"}, {"help"}, {"diff", "-h"}, {"save", "-h"},
	} {
		code, text := printed(t, args)
		if code != 0 || !strings.HasPrefix(text, "Examples:\n") {
			t.Errorf("%q: exit code %d, %q", args, code, text)
		}
		for _, want := range []string{"Exit codes: 0 ", "  -bench regexp"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q: the help lacks %q", args, want)
			}
		}
		if save := args[0] == "save"; strings.Contains(text, "  -baseline") != save ||
			strings.Contains(text, "  -threshold float") == save {
			t.Errorf("%q: the flags are those of the other verb: %s", args, text)
		}
	}
}

// printed runs the command and returns its exit code and what it prints.
func printed(t *testing.T, args []string) (code int, text string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = stdout }()
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	code = run(args)
	w.Close()
	return code, <-read
}

// TestOtherModule runs the command as a user of another module does, which requires this one.
func TestOtherModule(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := toy(t, "\nrequire github.com/plume-ml/plume v0.0.0\n\n"+
		"replace github.com/plume-ml/plume => "+filepath.ToSlash(root)+"\n")
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), "go", append([]string{
		"run", "-mod=mod", "github.com/plume-ml/plume/bench/regress", "save", "-o", "here.txt"},
		append(quick, "./a")...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := readFile(filepath.Join(dir, "here.txt"))
	if err != nil || len(r.names) != 1 {
		t.Errorf("%v, %v", r, err)
	}
}
