package main

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

//go:embed c kernels.py
var sources embed.FS

// side is a column of the table: a process that answers lines (see worker.go), or the reason why
// there is none.
type side struct {
	name   string
	about  string // version
	absent string // why there is no process
	in     io.WriteCloser
	out    *bufio.Reader
	log    bytes.Buffer
	cmd    *exec.Cmd

	env     string
	command []string
	light   bool // quick to start
}

// Names of the sides that ratios speak of.
const (
	cAVX512     = "C AVX-512"
	cAVX2       = "C AVX2"
	torch       = "PyTorch"
	torchAVX512 = "PyTorch AVX-512"
	goRand      = "Go rand"
	yardstick   = "axpy" // kernel.Axpy on the best path, measured beside the rows that memory bounds
)

// ownPaths are the kernel paths of this architecture, in the order of the columns.
func ownPaths() []string {
	switch runtime.GOARCH {
	case "amd64":
		return []string{"generic", "avx2", "avx512"}
	case "arm64":
		return []string{"generic", "neon"}
	}
	return []string{"generic"}
}

func startSides(dir, python, cc string) (sides []*side, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return nil, err
	}
	available := kernel.Info().Available
	for _, path := range ownPaths() {
		s := &side{name: path, light: true}
		if slices.Contains(available, path) {
			s.start(kernel.EnvPath+"="+path, self, "-worker", "plume")
		} else {
			s.absent = "this CPU or this build has no such kernel path"
		}
		sides = append(sides, s)
	}
	sides = append(sides,
		startC(dir, cc, cAVX2, "-DLANES=8", "-mno-avx512f"),
		startC(dir, cc, cAVX512, "-DLANES=16"))

	interpreter, missing := findPython(python)
	for _, s := range []struct{ name, env string }{{torch, "ATEN_CPU_CAPABILITY="}, {torchAVX512, "ATEN_CPU_CAPABILITY=avx512"}} {
		p := &side{name: s.name, absent: missing}
		switch {
		case s.name == torchAVX512 && !slices.Contains(kernel.Info().Features, "AVX512F"):
			p.absent = "this CPU has no AVX-512"
		case missing == "":
			p.start(s.env, interpreter, filepath.Join(dir, "kernels.py"))
		}
		sides = append(sides, p)
	}

	r, y := &side{name: goRand, light: true}, &side{name: yardstick}
	r.start("", self, "-worker", "rand")
	y.start(kernel.EnvPath+"="+available[0], self, "-worker", "axpy")
	return append(sides, r, y), nil
}

// findPython is the first interpreter of a list that can import torch, or why there is none.
func findPython(list string) (interpreter, missing string) {
	for name := range strings.SplitSeq(list, ",") {
		if exec.Command(name, "-c", "import torch").Run() == nil {
			return name, ""
		}
	}
	return "", "none of the interpreters " + list + " can import torch (see -python)"
}

// startC compiles the C prototype and compares its move with the kernel's.
func startC(dir, cc, name string, flags ...string) *side {
	s := &side{name: name, light: true}
	program := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
	args := append([]string{"-O3", "-march=native", "-fschedule-insns", "-ffp-contract=off"}, flags...)
	args = append(args, "-o", program, filepath.Join(dir, "c", "langevin.c"), "-lm")
	if runtime.GOARCH != "amd64" {
		s.absent = "the prototype is written for amd64"
		return s
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		s.absent = strings.TrimRight(fmt.Sprintf("%s: %v: %s", cc, err, errorLine(out)), ": ")
		return s
	}
	s.start("", program)
	if s.absent == "" {
		if err := s.check(); err != nil {
			s.stop()
			s.absent = err.Error()
		}
	}
	return s
}

// start begins a process on one core, with one variable added to the environment.
func (s *side) start(env string, command ...string) {
	s.env, s.command = env, command
	if taskset, err := exec.LookPath("taskset"); err == nil {
		command = append([]string{taskset, "-c", strconv.Itoa(lastCore())}, command...)
	}
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(without(os.Environ(), "OPENBLAS_", "OMP_", "ATEN_", kernel.EnvPath+"="), "OMP_NUM_THREADS=1")
	if env != "" && !strings.HasSuffix(env, "=") {
		s.cmd.Env = append(s.cmd.Env, env)
	}
	s.cmd.Stderr = &s.log
	in, err := s.cmd.StdinPipe()
	if err != nil {
		s.absent = err.Error()
		return
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.absent = err.Error()
		return
	}
	if err := s.cmd.Start(); err != nil {
		s.absent = err.Error()
		return
	}
	s.in, s.out = in, bufio.NewReaderSize(out, 1<<16)
	if s.about, err = s.ask("about 0"); err != nil {
		s.stop()
		s.absent = err.Error()
	}
}

// renew starts the process again: where its memory lies decides a tenth of the time of a kernel that
// works in the cache, so that a round must not inherit the luck of another.
func (s *side) renew() error {
	s.stop()
	s.log.Reset()
	s.start(s.env, s.command...)
	if s.absent != "" {
		return fmt.Errorf("%s does not start again: %s", s.name, s.absent)
	}
	return nil
}

// ask sends a line and reads the answer.
func (s *side) ask(line string) (string, error) {
	_, err := fmt.Fprintln(s.in, line)
	answer := ""
	if err == nil {
		answer, err = s.out.ReadString('\n')
	}
	if err != nil {
		s.stop() // its last words are complete then
		return "", fmt.Errorf("%s, asked for %q, said nothing: %s", s.name, line, errorLine(s.log.Bytes()))
	}
	return strings.TrimSpace(answer), nil
}

func (s *side) stop() {
	if s.in != nil {
		s.in.Close()
		s.cmd.Wait()
		s.in = nil
	}
}

func stopAll(sides []*side) {
	for _, s := range sides {
		s.stop()
	}
}

// errorLine is the line of a program's complaints that says most: the first that mentions an
// error, otherwise the last.
func errorLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, l := range lines {
		if _, message, ok := strings.Cut(l, "error: "); ok {
			return message
		}
	}
	return lines[len(lines)-1]
}

// lastCore is the last core that this process may run on: the first ones serve interrupts.
func lastCore() int {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.SplitSeq(string(status), "\n") {
			if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
				last := strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' })
				if n, err := strconv.Atoi(last[len(last)-1]); err == nil {
					return n
				}
			}
		}
	}
	return runtime.NumCPU() - 1
}
