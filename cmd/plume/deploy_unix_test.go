//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubs stand for Slurm's commands and for plume: srun runs the command and hands signals on, as
// Slurm's does, scontrol writes down what it is told, and plume waits, and ends with 143 when it
// gets SIGTERM, or at once with the code that CODE has.
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
	"scontrol": "#!/bin/bash\necho \"$@\" > \"$STUBS/scontrol.log\"\n",
	"plume": `#!/bin/bash
echo "$@" > "$STUBS/plume.log"
[ -z "$CODE" ] || exit "$CODE"
trap 'exit 143' TERM
touch "$STUBS/started"
for ((i = 0; i < 600; i++)); do sleep 0.1 & wait $!; done
exit 1
`,
}

// slurm runs the script with the stubs, sends a signal once plume runs, to the script or to the
// stub of plume, and returns the exit code and what scontrol was told.
func slurm(t *testing.T, code string, signal syscall.Signal, args ...string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range stubs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join("deploy", "plume.sbatch")
	cmd := exec.Command("bash", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "STUBS="+dir, "CODE="+code,
		"SLURM_JOB_ID=42", "SLURM_CPUS_PER_TASK=3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if signal != 0 {
		for range 300 {
			if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
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
		exit, told := slurm(t, c.code, c.signal, "study.toml", "run 1", "--max-time", "1h")
		if exit != c.exit || told != c.scontrol {
			t.Errorf("%s: exit code %d, expected %d; scontrol %q, expected %q",
				c.what, exit, c.exit, told, c.scontrol)
		}
	}
	if exit, _ := slurm(t, "", 0, "study.toml"); exit != exitUsage {
		t.Errorf("without a directory: exit code %d", exit)
	}
}
