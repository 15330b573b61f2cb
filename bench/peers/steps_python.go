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

// setting is how a side's process is started: an interpreter, a script, and variables that decide
// about its threads and instructions.
type setting struct {
	framework string // with its version
	label     string // the rest of the setting, in words
	command   []string
	env       []string
}

// memory makes the C library keep what is freed, since arrays come and go with every step (32 MiB is the most
// that it takes), and asks for large pages, as plume does.
var memory = []string{
	"MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=4294967296",
	"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "THP_MEM_ALLOC_ENABLE=1",
}

// probes print what an interpreter has of a framework, and fail if it has nothing: version, whether its BLAS is MKL, whether it
// takes AVX-512 of itself, and where it lies.
var probes = []struct{ framework, script, program string }{
	{"PyTorch", "steps.py", `import torch
print(torch.__version__, int(torch.backends.mkl.is_available()), int("AVX512" in torch.__config__.show().split("usage:")[-1].split("\n")[0]), torch.__file__)`},
	{"JAX", "steps_jax.py", `import jax
print(jax.__version__, 0, 0, jax.__file__)`},
}

// settings are all that the interpreters offer; no framework is taken twice.
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
			s := setting{framework: p.framework + " " + found[0], command: []string{python, filepath.Join(dir, p.script), dir}, env: memory}
			if p.framework == "JAX" {
				list = append(list, s)
				continue
			}
			s.env = append(slices.Clone(s.env), "TORCHINDUCTOR_COMPILE_THREADS=1", "TORCHINDUCTOR_CACHE_DIR="+filepath.Join(dir, "compiled"))
			list = append(list, s.threads(found[1] == "1", found[2] == "1")...)
		}
	}
	return list
}

// threads varies PyTorch's own threads and those of its BLAS, and the instructions it may use where it takes AVX2
// although there is AVX-512. MKL has as many threads as PyTorch; another BLAS has its own, and then two
// pools get in each other's way, less so if those that wait sleep.
func (s setting) threads(mkl, wide bool) (list []setting) {
	add := func(label string, env ...string) {
		t := s
		t.label, t.env = label, slices.Concat(s.env, env)
		list = append(list, t)
		if !wide && slices.Contains(kernel.Info().Features, "AVX512F") {
			t.label, t.env = label+", AVX-512", append(slices.Clone(t.env), "ATEN_CPU_CAPABILITY=avx512")
			list = append(list, t)
		}
	}
	for _, n := range threadCounts() {
		for _, b := range threadCounts() {
			env := []string{"OMP_NUM_THREADS=" + strconv.Itoa(n), "OPENBLAS_NUM_THREADS=" + strconv.Itoa(b), "MKL_NUM_THREADS=" + strconv.Itoa(b)}
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

// threadCounts are one and all.
func threadCounts() []int {
	if n := pool.DefaultWorkers(); n > 1 {
		return []int{1, n}
	}
	return []int{1}
}

// start begins a process of the setting.
func (s setting) start() (*side, error) {
	p := &side{name: strings.TrimSuffix(s.framework+", "+s.label, ", ")}
	p.start(s.env, s.command...)
	if p.absent != "" {
		return nil, fmt.Errorf("%s: %s", p.name, p.absent)
	}
	return p, nil
}
