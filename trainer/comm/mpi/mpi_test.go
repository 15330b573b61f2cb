//go:build mpi && linux

package mpi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// isOpen says whether the library is Open MPI.
func isOpen() bool { return strings.HasPrefix(Library(), "Open MPI") }

// launcher is the mpirun that belongs to the library: PLUME_MPIRUN, or that of Debian, or mpirun.
func launcher(t testing.TB) string {
	t.Helper()
	named := "mpirun.mpich"
	if isOpen() {
		named = "mpirun.openmpi"
	}
	for _, name := range []string{os.Getenv("PLUME_MPIRUN"), named, "mpirun"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	if os.Getenv("PLUME_REQUIRE_MPI") != "" {
		t.Fatal("mpirun is not installed")
	}
	t.Skip("mpirun is not installed")
	return ""
}

// job is a test binary on some ranks.
type job struct {
	role    string
	ranks   int
	options Options
	front   []string            // before mpirun
	flags   []string            // of mpirun
	env     []string            // NAME=VALUE
	started func(p *os.Process) // called with mpirun once a rank has printed something
}

var (
	tcp = []string{"--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include",
		"lo"}
	shared = []string{"--mca", "pml", "ob1", "--mca", "btl", "self,vader"}
	ucx    = []string{"--mca", "pml", "ucx", "--mca", "opal_common_ucx_tls", "any", "--mca",
		"opal_common_ucx_devices", "any"}
)

// command is the command line of a job.
func (j job) command(t testing.TB) []string {
	line := append(slices.Clone(j.front), launcher(t))
	if isOpen() {
		line = append(line, "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle",
			"1")
		line = append(line, j.flags...)
		for _, variable := range j.vars() {
			line = append(line, "-x", variable)
		}
	} else {
		line = append(line, "-bind-to", "none")
		for _, variable := range j.vars() {
			name, value, _ := strings.Cut(variable, "=")
			line = append(line, "-genv", name, value)
		}
	}
	return append(line, "-n", fmt.Sprint(j.ranks), os.Args[0])
}

func (j job) vars() []string {
	return append([]string{"GOMAXPROCS=1", envRole + "=" + j.role,
		fmt.Sprintf("%s=%d %d", envOptions, j.options.Direct, j.options.Chunk)}, j.env...)
}

// watcher calls a function at the first line.
type watcher struct {
	text bytes.Buffer
	once sync.Once
	call func()
}

func (w *watcher) Write(p []byte) (int, error) {
	if w.call != nil {
		w.once.Do(w.call)
	}
	return w.text.Write(p)
}

// run runs a job and returns its exit code and what it wrote. It fails after a minute and a half.
func (j job) run(t testing.TB) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	line := j.command(t)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	var complaints bytes.Buffer
	out := &watcher{}
	if j.started != nil {
		out.call = func() { j.started(cmd.Process) }
	}
	cmd.Stdout, cmd.Stderr = out, &complaints
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Errorf("%s on %d ranks with %v has not ended", j.role, j.ranks, j.flags)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.text.String(), complaints.String()
}

// transports are flags of mpirun: one set for MPICH.
func transports() map[string][]string {
	if isOpen() {
		return map[string][]string{"shared memory": shared, "TCP": tcp}
	}
	return map[string][]string{"default": nil}
}

// On 2 and 4 ranks, and both ways, all calls do what they should; on 8 too, by both algorithms, and
// in messages of many chunks.
func TestCalls(t *testing.T) {
	t.Logf("%s, %s", Library(), launcher(t))
	for name, flags := range transports() {
		for _, j := range []job{
			{ranks: 1}, {ranks: 2}, {ranks: 4}, {ranks: 4, options: Options{Chunk: 1000}},
			{ranks: 3}, {ranks: 8}, {ranks: 8, options: Options{Direct: 1, Chunk: 7001}},
		} {
			if name == "TCP" && j.ranks == 8 {
				continue
			}
			j.role, j.flags = "calls", flags
			code, out, complaints := j.run(t)
			if code != 0 || !strings.HasPrefix(out, fmt.Sprint(j.ranks, " ranks")) {
				t.Errorf("%s, %d ranks, %+v: code %d, %s%s", name, j.ranks, j.options, code, out,
					complaints)
			}
		}
	}
}

// Exit codes reach the launcher's, and what went wrong is said with rank and host. No rank crashes,
// not even one whose code is not the one of the job.
func TestEnds(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	named := fmt.Sprintf("rank 1 (%s)", host)
	for _, c := range []struct {
		role  string
		codes []int // one of them
		says  string
	}{
		{"agree", []int{3}, ""},
		{"abort", []int{5}, ""},
		{"other call", []int{9}, named + " calls Barrier while "},
		{"other length", []int{9}, "of another length than "},
		{"longer", []int{9}, "a message of 1048576 bytes with tag 5 from rank 0, expected 1000 "},
		{"leaves", []int{9}, "rank 1 has left, while others wait for it: "},
		{"killed", []int{137, 9}, ""}, // MPICH's mpirun gives the number of the signal
		{"stopped", []int{7}, "has not returned after 1s: it waits for " + named},
		{"nil", []int{0}, ""},
	} {
		for name, flags := range transports() {
			start := time.Now()
			code, _, complaints := job{role: c.role, ranks: 3, flags: flags}.run(t)
			if !slices.Contains(c.codes, code) || !strings.Contains(complaints, c.says) ||
				strings.Contains(complaints, "fatal error: ") {
				t.Errorf("%s, %s: code %d, expected %v, and %q and no crash in\n%s", c.role, name,
					code, c.codes, c.says, complaints)
			}
			t.Logf("%s, %s: code %d after %v", c.role, name, code, time.Since(start))
		}
	}
}

// mpirun passes SIGUSR1 on, all ranks hear it, also where the library takes it for itself, and end
// with one code.
func TestInterrupted(t *testing.T) {
	code, _, complaints := job{role: "interrupted", ranks: 2, started: func(p *os.Process) {
		_ = p.Signal(syscall.SIGUSR1) // the exit code tells
	}}.run(t)
	if code != 143 {
		t.Errorf("code %d\n%s", code, complaints)
	}
}

// UCX takes the signal by which Go notices a nil pointer; Open gives it back.
func TestNilUnderUCX(t *testing.T) {
	if !isOpen() {
		t.Skip("only Open MPI can be told to take UCX")
	}
	info, err := exec.Command("ompi_info").Output()
	if err != nil || !bytes.Contains(info, []byte("pml: ucx")) {
		t.Skipf("this Open MPI has no UCX (%v)", err)
	}
	code, _, complaints := job{role: "nil", ranks: 2, flags: ucx}.run(t)
	if code != 0 {
		t.Errorf("code %d\n%s", code, complaints)
	}
}

// A process that mpirun of another MPI has started, alone in its own, refuses.
func TestRefused(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envRole+"=calls", envOptions+"=0 0", "SLURM_STEP_NUM_TASKS=4")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("SLURM_STEP_NUM_TASKS=4")) ||
		!bytes.Contains(out, []byte(Library())) {
		t.Errorf("%v: %s", err, out)
	}
}
