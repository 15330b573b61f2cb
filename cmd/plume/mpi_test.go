//go:build mpi

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/comm/mpi"
)

// launched is the command under mpirun, or alone.
type launched struct {
	t     *testing.T
	dir   string // where it runs, and where plume lies
	flags []string
}

var overTCP = []string{"--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca",
	"btl_tcp_if_include", "lo"}

// newLaunched makes a directory in which this test binary is the command plume.
func newLaunched(t *testing.T) launched {
	t.Helper()
	if _, err := exec.LookPath(mpirun()); err != nil {
		if os.Getenv("PLUME_REQUIRE_MPI") != "" {
			t.Fatal(err)
		}
		t.Skip("mpirun is not installed")
	}
	l := launched{t: t, dir: t.TempDir()}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(l.dir, "plume"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(l.dir, "tiny.toml"), []byte(tiny), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openMPI() bool { return strings.HasPrefix(mpi.Library(), "Open MPI") }

// mpirun is the launcher of the library in the build.
func mpirun() string {
	name := "mpirun.mpich"
	if openMPI() {
		name = "mpirun.openmpi"
	}
	if _, err := exec.LookPath(name); err != nil {
		return "mpirun"
	}
	return name
}

// command is plume on some ranks; 0: without a launcher.
func (l launched) command(ranks int, args ...string) *exec.Cmd {
	line := []string{"./plume"}
	switch n := strconv.Itoa(ranks); {
	case ranks > 0 && openMPI():
		line = append([]string{mpirun(), "--oversubscribe", "--bind-to", "none", "--mca",
			"mpi_yield_when_idle", "1", "-n", n}, append(l.flags, line...)...)
	case ranks > 0:
		line = []string{mpirun(), "-bind-to", "none", "-n", n, "./plume"}
	}
	cmd := exec.CommandContext(l.t.Context(), line[0], append(line[1:], args...)...)
	cmd.Dir, cmd.WaitDelay = l.dir, 10*time.Second
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "OMPI_ALLOW_RUN_AS_ROOT=1",
		"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	return cmd
}

// run runs a command, which must end with the exit code. act, unless nil, is called with the
// process after the first line of its output.
func (l launched) run(ranks, code int, act func(p *os.Process), args ...string) (stderr string) {
	l.t.Helper()
	cmd := l.command(ranks, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if _, err := lines.ReadString('\n'); err == nil && act != nil {
		act(cmd.Process)
	}
	_, _ = io.Copy(io.Discard, lines)
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		l.t.Fatalf("%v: exit code %d, expected %d\n%s", cmd.Args, got, code, complaints.String())
	}
	return complaints.String()
}

// result is the networks and particles of a run.
func (l launched) result(run string) string {
	l.t.Helper()
	l.run(0, 0, nil, "export", run, "-o", run+".safetensors")
	l.run(0, 0, nil, "latents", run, "-q", "-o", run+".npz")
	var all []byte
	for _, name := range []string{run + ".safetensors", run + ".npz"} {
		raw, err := os.ReadFile(filepath.Join(l.dir, name))
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return string(all)
}

func lanedTraining(run string, more ...string) []string {
	return append([]string{"train", "--config", "tiny.toml", "--lanes", "8", "--batch", "128",
		"--epochs", "30", "--eval-samples", "0", "--checkpoint-every", "5", "--json", "-q",
		"--comm-timeout", "60s", "--out", run}, more...)
}

// Any number of ranks trains the model that one process trains, to the byte; a run goes on with
// another number of them after a signal, and after the death of a rank.
func TestTrainOnRanks(t *testing.T) {
	l := newLaunched(t)
	l.run(0, 0, nil, lanedTraining("alone")...)
	want := l.result("alone")

	l.run(2, 0, nil, lanedTraining("two")...)
	if l.result("two") != want {
		t.Error("2 ranks train another model")
	}
	if openMPI() {
		l.flags = overTCP
		l.run(4, 0, nil, lanedTraining("tcp")...)
		if l.result("tcp") != want {
			t.Error("4 ranks over TCP train another model")
		}
		l.flags = nil
	}

	signal := func(p *os.Process) {
		if err := p.Signal(syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
	}
	if !openMPI() { // whose mpirun keeps the signal to itself
		t.Log("signals and dead ranks are tested with Open MPI alone")
		return
	}
	l.run(4, 143, signal, lanedTraining("broken")...)
	again := lanedTraining("broken", "--resume")
	l.run(2, 137, func(p *os.Process) { killLast(t, p.Pid) }, again...)
	l.run(8, 0, nil, again...)
	if l.result("broken") != want {
		t.Error("4, 2 and 8 ranks train another model")
	}
}

// killLast kills the last rank of mpirun.
func killLast(t *testing.T, mpirun int) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", mpirun))
	ranks := strings.Fields(string(raw))
	if err != nil || len(ranks) == 0 {
		t.Fatalf("the ranks of mpirun: %q, %v", raw, err)
	}
	pid, err := strconv.Atoi(ranks[len(ranks)-1])
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What ranks cannot share is refused, in a moment and once.
func TestRanksRefused(t *testing.T) {
	l := newLaunched(t)
	text := l.run(3, exitFailure, nil, lanedTraining("three")...)
	if strings.Count(text, "lanes = 8 on 3 ranks") != 1 {
		t.Errorf("%s", text)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "three")); err == nil {
		t.Error("a directory stayed behind")
	}
}
