//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubs stand for the commands of Slurm and Open MPI and for plume: srun and mpirun run the command
// and hand signals on, SIGTERM and SIGUSR1, as theirs do, scontrol writes down what it is told, and
// plume and plume-mpi wait, and end with 143 when they get the signal, or at once with the code
// that CODE has.
var stubs = map[string]string{
	"srun": `#!/bin/bash
echo $$ > "$STUBS/srun.pid"
while [[ $1 == --* ]]; do shift; done
"$@" &
child=$!
trap 'kill -TERM $child' TERM
while kill -0 $child 2> /dev/null; do wait $child; done
wait $child
exit $?
`,
	"mpirun": `#!/bin/bash
echo $$ > "$STUBS/mpirun.pid"
while [[ $1 != plume-mpi ]]; do shift; done
"$@" &
child=$!
trap 'kill -USR1 $child' USR1
trap 'kill -KILL $child' TERM
while kill -0 $child 2> /dev/null; do wait $child; done
wait $child
exit $?
`,
	"scontrol":  "#!/bin/bash\necho \"$@\" > \"$STUBS/scontrol.log\"\n",
	"plume":     plumeStub,
	"plume-mpi": plumeStub,
}

const plumeStub = `#!/bin/bash
echo "$@" > "$STUBS/plume.log"
[ -z "$CODE" ] || exit "$CODE"
trap 'exit 143' TERM USR1
touch "$STUBS/started"
for ((i = 0; i < 600; i++)); do sleep 0.1 & wait $!; done
exit 1
`

// stubbed returns a new directory with the stubs.
func stubbed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range stubs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// waitStarted returns once the stub of plume waits, or after half a minute.
func waitStarted(dir string) {
	for range 300 {
		if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// slurm runs a script with the stubs, sends a signal once plume runs, to the script or to the
// stub of plume, and returns the exit code and what scontrol was told.
func slurm(t *testing.T, script, code string, signal syscall.Signal, args ...string) (int, string) {
	t.Helper()
	dir := stubbed(t)
	script = filepath.Join("deploy", script)
	cmd := exec.Command("bash", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "STUBS="+dir, "CODE="+code,
		"SLURM_JOB_ID=42", "SLURM_CPUS_PER_TASK=3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if signal != 0 {
		waitStarted(dir)
		if signal == syscall.SIGTERM { // scancel: to the step, not to the script
			text, err := os.ReadFile(filepath.Join(dir, "srun.pid"))
			if err != nil {
				t.Fatal(err)
			}
			step, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(step, signal); err != nil {
				t.Fatal(err)
			}
		} else if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "scontrol.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if len(args) > 1 {
		line, err := os.ReadFile(filepath.Join(dir, "plume.log"))
		if err != nil || !strings.HasPrefix(string(line), "train --config "+args[0]+" --out "+
			args[1]+" --resume --threads 3") {
			t.Errorf("plume got %q, %v", line, err)
		}
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(string(log))
}

// The job is queued again near its time limit, and at the end of --max-time, and only then.
func TestSlurm(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	const again = "requeue 42"
	for _, c := range []struct {
		what, code string
		signal     syscall.Signal
		exit       int
		scontrol   string
	}{
		{"near the time limit", "", syscall.SIGUSR1, 0, again},
		{"cancelled", "", syscall.SIGTERM, 143, ""},
		{"finished", "0", 0, 0, ""},
		{"at the end of --max-time", "4", 0, 0, again},
		{"diverged", "3", 0, 3, ""},
		{"a wrong configuration", "2", 0, 2, ""},
	} {
		for _, script := range []string{"plume.sbatch", "plume-mpi.sbatch"} {
			exit, told := slurm(t, script, c.code, c.signal, "study.toml", "run 1", "--max-time",
				"1h")
			if exit != c.exit || told != c.scontrol {
				t.Errorf("%s, %s: exit code %d, expected %d; scontrol %q, expected %q",
					script, c.what, exit, c.exit, told, c.scontrol)
			}
		}
	}
	for _, script := range []string{"plume.sbatch", "plume-mpi.sbatch"} {
		if exit, _ := slurm(t, script, "", 0, "study.toml"); exit != exitUsage {
			t.Errorf("%s without a directory: exit code %d", script, exit)
		}
	}
}

// The script for Open MPI turns a signal to stop into the one that mpirun passes on, and ends with
// the code of the run.
func TestMPIRun(t *testing.T) {
	for _, c := range []struct {
		code   string
		signal syscall.Signal
		exit   int
	}{
		{"0", 0, 0}, {"3", 0, 3}, {"", syscall.SIGTERM, 143}, {"", syscall.SIGHUP, 143},
	} {
		if c.signal != 0 && signal.Ignored(c.signal) {
			continue // as SIGHUP under nohup: a shell cannot hear what is ignored when it starts
		}
		dir := stubbed(t)
		cmd := exec.Command("sh", filepath.Join("deploy", "plume-mpi.sh"), "hosts", "study.toml",
			"run 1", "--max-time", "1h")
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "STUBS="+dir,
			"CODE="+c.code)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if c.signal != 0 {
			waitStarted(dir)
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // the code tells
		line, err := os.ReadFile(filepath.Join(dir, "plume.log"))
		want := "train --config study.toml --out run 1 --resume --max-time 1h\n"
		if err != nil || string(line) != want || cmd.ProcessState.ExitCode() != c.exit {
			t.Errorf("%+v: exit code %d, plume got %q, %v", c, cmd.ProcessState.ExitCode(), line,
				err)
		}
	}
}
