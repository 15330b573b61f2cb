package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeep: a record has the description of its first run and the results of all.
func TestKeep(t *testing.T) {
	var s suite
	first := "fma-peak: 1 FLOP/s\ngoos: linux\nBenchmarkX 1 1 ns/op\nPASS\n"
	second := "fma-peak: 2 FLOP/s\ngoos: linux\nBenchmarkX 1 2 ns/op\nPASS\n"
	for _, out := range []string{first, second} {
		if !s.keep("x", out) {
			t.Errorf("%q has no result", out)
		}
		s.runs++
	}
	const want = "fma-peak: 1 FLOP/s\ngoos: linux\nBenchmarkX 1 1 ns/op\nBenchmarkX 1 2 ns/op\n"
	if s.record.String() != want {
		t.Errorf("recorded %q, want %q", s.record.String(), want)
	}
	if s.keep("x", "goos: linux\nPASS\n") {
		t.Error("a result in a run without any")
	}
}

func TestHidden(t *testing.T) {
	s := settings{unset: "OPENBLAS_CORETYPE,OPENBLAS_L2_SIZE"}
	for variable, want := range map[string]bool{
		"OPENBLAS_CORETYPE=Haswell": true, "OPENBLAS_L2_SIZE=512": true,
		"OPENBLAS_VERBOSE=2": false, "PLUME_KERNEL=avx2": false,
	} {
		if s.hidden(variable) != want {
			t.Errorf("%s: %v", variable, !want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"compare"}, {"save", "file"}, {"save", "-count", "-1"},
		{"diff", "-threshold", "-1"}, {"diff", "-threshold", "NaN"}, {"diff", "-fast"},
		{"diff", "./...", "-bench", "X"}, {"save", "-o"},
		{"diff", "-base", filepath.Join(t.TempDir(), "absent.txt")},
	} {
		if code := run(args); code != exitNoVerdict {
			t.Errorf("%q: exit code %d, want %d", args, code, exitNoVerdict)
		}
	}
}

// repository returns a module under git, and a function that commits other benchmarks of it.
func repository(t *testing.T) (dir string, commit func(benchmark string)) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		config := []string{
			"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false",
		}
		cmd := exec.Command("git", append(config, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	git("init", "-q")
	write("go.mod", "module example.org/tiny\n\ngo 1.26\n")
	write(".gitignore", "/bench/results/\n")
	commit = func(benchmark string) {
		write("bench/x_test.go", benchmarkHeader+benchmark)
		git("add", ".")
		git("commit", "-q", "-m", "x")
	}
	return dir, commit
}

const benchmarkHeader = "package bench\n\nimport \"testing\"\n\n"

// reports is a benchmark that reports a given time, so that the verdict does not depend on the
// machine.
func reports(name, ns string) string {
	return "func Benchmark" + name + "(b *testing.B) {\n" +
		"\tfor b.Loop() {\n\t}\n" +
		"\tb.ReportMetric(" + ns + ", \"ns/op\")\n}\n"
}

// TestRevisions goes all the way from two commits of a repository to the exit code.
func TestRevisions(t *testing.T) {
	dir, commit := repository(t)
	commit("func BenchmarkX(b *testing.B) { wrong }\n")
	commit(reports("X", "1000") + reports("Gone", "1"))
	commit(reports("X", "1500"))
	t.Chdir(dir)
	diff := func(base string) int {
		return run([]string{
			"diff", "-base", base, "-bench", ".", "-benchtime", "1x", "-count", "4",
		})
	}
	if code := diff("HEAD~1"); code != exitSlower {
		t.Errorf("half as fast: exit code %d, want %d", code, exitSlower)
	}
	if code := diff("HEAD~2"); code != exitNoVerdict {
		t.Errorf("against what does not build: exit code %d, want %d", code, exitNoVerdict)
	}

	// If the tree differs from its commit, the tree is measured.
	text := []byte(benchmarkHeader + reports("X", "900"))
	if err := os.WriteFile(filepath.Join(dir, "bench", "x_test.go"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	if code := diff("HEAD~1"); code != 0 {
		t.Errorf("against the tree that is faster: exit code %d", code)
	}
	trees, err := output(context.Background(), dir, "git", "worktree", "list")
	if err != nil || strings.Count(trees, "\n") != 0 {
		t.Errorf("worktrees are left: %v: %s", err, trees)
	}
	files, err := filepath.Glob(filepath.Join(dir, "bench", "results", "*-dirty.txt"))
	if err != nil || len(files) == 0 {
		t.Errorf("no results of the tree were kept: %v", err)
	}
}
