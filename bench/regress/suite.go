package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/machine"
)

// suite is the compiled benchmarks of one version of the module, and what they printed.
type suite struct {
	label    string // of the version
	programs []program
	record   bytes.Buffer // in the Go benchmark format
	runs     int
	show     io.Writer // also receives the output; may be nil
}

// program is the compiled benchmarks of a package.
type program struct {
	pkg  string // import path
	dir  string // where its tests run
	file string
}

// build compiles the benchmarks of the module in root, into files that begin with name.
func build(ctx context.Context, label, root, name string, how settings) (*suite, error) {
	const format = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}\t{{.Dir}}{{end}}"
	list, err := output(ctx, root, "go", append([]string{
		"list", "-f", format, "-tags", how.tags, "--"}, how.packages...)...)
	if err != nil {
		return nil, fmt.Errorf("the packages of %s: %w", label, err)
	}
	s := &suite{label: label}
	for line := range strings.Lines(list) {
		pkg, dir, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok || !hasBenchmarks(dir) {
			continue
		}
		p := program{pkg, dir, fmt.Sprintf("%s-%d.test", name, len(s.programs))}
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", p.file, "-tags", how.tags, pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the benchmarks of %s: %w\n%s",
				label, err, bytes.TrimSpace(out))
		}
		s.programs = append(s.programs, p)
	}
	if len(s.programs) == 0 {
		return nil, fmt.Errorf("%s has no benchmarks in %s", label, strings.Join(how.packages, " "))
	}
	fmt.Fprintf(&s.record, "commit: %s\n%s: %s\n", label, machine.KeyCPU, machine.Describe().CPU)
	return s, nil
}

// hasBenchmarks says whether test files in dir seem to declare benchmarks.
func hasBenchmarks(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	return err == nil && slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && bytes.Contains(text, []byte("\nfunc Benchmark"))
	})
}

// run runs the benchmarks of all packages once.
func (s *suite) run(ctx context.Context, how settings) error {
	some := false
	for _, p := range s.programs {
		out, err := s.runProgram(ctx, p, how)
		if err != nil {
			return fmt.Errorf("running the benchmarks of %s in %s: %w\n%s", s.label, p.pkg, err,
				lastLines(out, 20))
		}
		some = s.keep(p.pkg, out) || some
	}
	if !some {
		return fmt.Errorf("running the benchmarks of %s: none matches %s", s.label, how.bench)
	}
	s.runs++
	return nil
}

func (s *suite) runProgram(ctx context.Context, p program, how settings) (string, error) {
	cmd := exec.CommandContext(ctx, p.file,
		"-test.run=^$", "-test.bench="+how.bench, "-test.benchtime="+how.benchtime)
	cmd.Dir = p.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), how.hidden)
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if s.show != nil {
		cmd.Stdout = io.MultiWriter(&out, s.show)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return out.String(), err
}

// hidden says whether benchmarks do not see a variable of the environment.
func (s settings) hidden(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains(strings.Split(s.unset, ","), name)
}

// keep records the results of a package's run, and says whether there were any. The description
// above them is kept of the first run only, because tools that read the record take results under
// different descriptions for different experiments.
func (s *suite) keep(pkg, out string) (some bool) {
	if s.runs > 0 && len(s.programs) > 1 {
		fmt.Fprintf(&s.record, "pkg: %s\n", pkg)
	}
	for line := range strings.Lines(out) {
		result := strings.HasPrefix(line, "Benchmark")
		some = some || result
		if result || s.runs == 0 && line != "PASS\n" {
			s.record.WriteString(line)
		}
	}
	return some
}

// results returns what was recorded so far.
func (s *suite) results() (*results, error) {
	return read(bytes.NewReader(s.record.Bytes()), s.label)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
