package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

// setting says how a side's process is started: an interpreter, a script, and variables for its
// threads and instructions.
type setting struct {
	framework string // with its version
	label     string // the rest of the setting, in words
	command   []string
	env       []string
}

// memory makes the C library keep freed memory, since arrays are allocated in every step (32 MiB
// is its maximum), and use large pages, as plume does.
var memory = []string{
	"MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=4294967296",
	"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "THP_MEM_ALLOC_ENABLE=1",
}

// probes fail if an interpreter does not have a framework, or else print its version, whether its
// BLAS is MKL, whether it uses AVX-512 by default, and its file.
var probes = []struct{ framework, script, program string }{
	{"PyTorch", "steps.py", `import torch
usage = torch.__config__.show().split("usage:")[-1].split("\n")[0]
mkl = int(torch.backends.mkl.is_available())
print(torch.__version__, mkl, int("AVX512" in usage), torch.__file__)`},
	{"JAX", "steps_jax.py", `import jax
print(jax.__version__, 0, 0, jax.__file__)`},
}

// settings returns all that the interpreters offer, without duplicates of a framework.
func settings(dir string, pythons []string) (list []setting) {
	seen := map[string]bool{}
	for _, python := range pythons {
		for _, p := range probes {
			out, err := exec.Command(python, "-c", p.program).Output()
			found := strings.Fields(string(out))
			if err != nil || len(found) < 4 || seen[found[3]] {
				continue
			}
			seen[found[3]] = true
			s := setting{
				framework: p.framework + " " + found[0],
				command:   []string{python, filepath.Join(dir, p.script), dir}, env: memory,
			}
			if p.framework == "JAX" {
				list = append(list, s)
				continue
			}
			s.env = append(slices.Clone(s.env), "TORCHINDUCTOR_COMPILE_THREADS=1",
				"TORCHINDUCTOR_CACHE_DIR="+filepath.Join(dir, "compiled"))
			list = append(list, s.threads(found[1] == "1", found[2] == "1")...)
		}
	}
	return list
}

// threads varies the threads of PyTorch and of its BLAS, and tries AVX-512 if PyTorch would use
// AVX2 on a CPU that has it. MKL has as many threads as PyTorch. Another BLAS has its own, and
// then two pools hinder each other, less so if waiting threads sleep.
func (s setting) threads(mkl, wide bool) (list []setting) {
	add := func(label string, env ...string) {
		t := s
		t.label, t.env = label, slices.Concat(s.env, env)
		list = append(list, t)
		if !wide && slices.Contains(kernel.Info().Features, "AVX512F") {
			t.label += ", AVX-512"
			t.env = append(slices.Clone(t.env), "ATEN_CPU_CAPABILITY=avx512")
			list = append(list, t)
		}
	}
	for _, n := range threadCounts() {
		for _, b := range threadCounts() {
			env := []string{
				"OMP_NUM_THREADS=" + strconv.Itoa(n),
				"OPENBLAS_NUM_THREADS=" + strconv.Itoa(b),
				"MKL_NUM_THREADS=" + strconv.Itoa(b),
			}
			switch label := fmt.Sprintf("%d + %d threads", n, b); {
			case mkl && n == b:
				add(fmt.Sprintf("%d threads", n), env...)
			case mkl:
			case n > 1 && b > 1:
				add(label, env...)
				add(label+" that sleep", append(env, "OMP_WAIT_POLICY=passive")...)
			default:
				add(label, env...)
			}
		}
	}
	return list
}

// threadCounts returns the measured numbers of threads: one and all.
func threadCounts() []int {
	if n := pool.DefaultWorkers(); n > 1 {
		return []int{1, n}
	}
	return []int{1}
}

// mostThreads is the largest of the measured numbers of threads.
func mostThreads() int { return slices.Max(threadCounts()) }

// start starts a process of the setting.
func (s setting) start() (*side, error) {
	p := &side{name: strings.TrimSuffix(s.framework+", "+s.label, ", ")}
	p.start(s.env, s.command...)
	if p.absent != "" {
		return nil, fmt.Errorf("%s: %s", p.name, p.absent)
	}
	return p, nil
}
