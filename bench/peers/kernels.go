package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

// Names of the sides that ratios speak of.
const (
	cAVX512     = "C AVX-512"
	cAVX2       = "C AVX2"
	torch       = "PyTorch"
	torchAVX512 = "PyTorch AVX-512"
	goRand      = "Go rand"
	// kernel.Axpy on the best path, measured beside the rows that memory bounds
	yardstick = "axpy"
)

// ownPaths are the kernel paths of this architecture, in the order of the columns.
func ownPaths() []string {
	paths := kernel.Paths()
	slices.Reverse(paths)
	return paths
}

// compareKernels measures the kernels and returns their tables.
func compareKernels(o options, dir string) (string, error) {
	sides, err := startSides(dir, o.pythons, o.cc)
	defer stopAll(sides)
	if err != nil {
		return "", err
	}
	r := results{sides: sides, rounds: o.rounds}
	for _, row := range rows {
		if o.pattern.MatchString(row.kernel) {
			fmt.Fprintf(os.Stderr, "%s, n = %d\n", row.kernel, row.n)
			if err := r.measure(row); err != nil {
				return "", err
			}
		}
	}
	return r.markdown(), nil
}

// startPinned begins a process on one core.
func (s *side) startPinned(env []string, command ...string) {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		command = append([]string{taskset, "-c", strconv.Itoa(lastCore())}, command...)
	}
	s.start(append(env, "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"), command...)
}

func startSides(dir string, pythons []string, cc string) (sides []*side, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	available := kernel.Info().Available
	for _, path := range ownPaths() {
		s := &side{name: path, light: true}
		if slices.Contains(available, path) {
			s.startPinned([]string{kernel.EnvPath + "=" + path}, self, "-worker", "plume")
		} else {
			s.absent = "this CPU or this build has no such kernel path"
		}
		sides = append(sides, s)
	}
	sides = append(sides,
		startC(dir, cc, cAVX2, "-DLANES=8", "-mno-avx512f"),
		startC(dir, cc, cAVX512, "-DLANES=16"))

	interpreter, missing := findPython(pythons)
	for _, s := range []struct {
		name string
		env  []string
	}{{torch, nil}, {torchAVX512, []string{"ATEN_CPU_CAPABILITY=avx512"}}} {
		p := &side{name: s.name, absent: missing}
		switch {
		case s.name == torchAVX512 && !slices.Contains(kernel.Info().Features, "AVX512F"):
			p.absent = "this CPU has no AVX-512"
		case missing == "":
			p.startPinned(s.env, interpreter, filepath.Join(dir, "kernels.py"))
		}
		sides = append(sides, p)
	}

	r, y := &side{name: goRand, light: true}, &side{name: yardstick}
	r.startPinned(nil, self, "-worker", "rand")
	y.startPinned([]string{kernel.EnvPath + "=" + available[0]}, self, "-worker", "axpy")
	return append(sides, r, y), nil
}

// findPython is the first interpreter of a list that can import torch, or why there is none.
func findPython(pythons []string) (interpreter, missing string) {
	for _, name := range pythons {
		if exec.Command(name, "-c", "import torch").Run() == nil {
			return name, ""
		}
	}
	return "", "none of the interpreters " + strings.Join(pythons, ", ") +
		" can import torch (see -python)"
}

// startC compiles the C prototype and compares its move with the kernel's.
func startC(dir, cc, name string, flags ...string) *side {
	s := &side{name: name, light: true}
	program := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
	args := []string{"-O3", "-march=native", "-fschedule-insns", "-ffp-contract=off"}
	args = append(args, flags...)
	args = append(args, "-o", program, filepath.Join(dir, "c", "langevin.c"), "-lm")
	if runtime.GOARCH != "amd64" {
		s.absent = "the prototype is written for amd64"
		return s
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		s.absent = strings.TrimRight(fmt.Sprintf("%s: %v: %s", cc, err, errorLine(out)), ": ")
		return s
	}
	s.startPinned(nil, program)
	if s.absent == "" {
		if err := s.check(); err != nil {
			s.stop()
			s.absent = err.Error()
		}
	}
	return s
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
