package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// suite is the compiled benchmarks of one version of the module, and what they printed.
type suite struct {
	label   string // of the version
	dir     string // of package bench
	program string
	record  bytes.Buffer // in the Go benchmark format
	runs    int
	show    io.Writer // also receives the output; may be nil
}

// build compiles the benchmarks of the module in root.
func build(ctx context.Context, label, root, program, tags string) (*suite, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "-tags", tags, "./bench")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the benchmarks of %s: %w\n%s",
			label, err, bytes.TrimSpace(out))
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("building the benchmarks of %s: its package bench has none", label)
	}
	s := &suite{label: label, dir: filepath.Join(root, "bench"), program: program}
	fmt.Fprintf(&s.record, "commit: %s\n", label)
	return s, nil
}

// run runs the benchmarks once.
func (s *suite) run(ctx context.Context, how settings) error {
	cmd := exec.CommandContext(ctx, s.program,
		"-test.run=^$", "-test.bench="+how.bench, "-test.benchtime="+how.benchtime)
	cmd.Dir = s.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), handicaps)
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if s.show != nil {
		cmd.Stdout = io.MultiWriter(&out, s.show)
	}
	if err := cmd.Run(); err != nil {
		const text = "running the benchmarks of %s: %w\n%s"
		return fmt.Errorf(text, s.label, err, lastLines(out.String(), 20))
	}
	if !s.keep(out.String()) {
		return fmt.Errorf("running the benchmarks of %s: none matches %s", s.label, how.bench)
	}
	s.runs++
	return nil
}

// handicaps says whether a variable keeps OpenBLAS from the code that suits the CPU.
func handicaps(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return name == "OPENBLAS_CORETYPE" || name == "OPENBLAS_L2_SIZE"
}

// keep records the results of a run, and says whether there were any. The description above them
// is kept of the first run only, because tools that read the record take results under different
// descriptions for different experiments.
func (s *suite) keep(out string) (some bool) {
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
