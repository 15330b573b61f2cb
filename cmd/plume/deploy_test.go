package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deployed returns a file of the folder deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every command line in the deployment files and their README is one that plume takes.
func TestDeployCommands(t *testing.T) {
	lines := map[string][]string{}
	find := func(name, pattern string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(deployed(t, name), -1) {
			lines[name] = append(lines[name], m[1])
		}
	}
	find("plume@.service", `(?m)^ExecStart=/usr/bin/plume (.*)$`)
	find("plume.sbatch", `(?m)^\tplume (.*) "\$@" &$`)
	find("plume-mpi.sbatch", `(?m)^\tplume-mpi (.*) "\$@" &$`)
	find("plume-mpi.sh", `(?m)^\tplume-mpi (.*) "\$@" &$`)
	find("job.yaml", `(?m)^ +args: \[(.*)\]$`)
	find("Containerfile", `(?m)^# +podman run .* plume (.*)$`)
	find("README.md", `(?m)^(?:podman run .* )?plume ([a-z].*?)(?: +#.*)?$`)
	for _, name := range []string{
		"plume@.service", "plume.sbatch", "plume-mpi.sbatch", "plume-mpi.sh", "job.yaml",
		"Containerfile", "README.md",
	} {
		if len(lines[name]) == 0 {
			t.Errorf("%s: no command line was found", name)
		}
		for _, line := range lines[name] {
			line, _, _ = strings.Cut(line, " > ")
			line = strings.NewReplacer(`"$cpus"`, "8", `"`, "", ",", " ").Replace(line)
			root := newRoot()
			cmd, args, err := root.Find(joinResume(strings.Fields(line)))
			if err == nil && cmd == root {
				t.Errorf("%s: %q: no such command", name, line)
				continue
			}
			if err == nil {
				err = cmd.ParseFlags(args)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %q: %v", name, line, err)
			}
		}
	}
}

// The files agree with each other: what ends without an error where plume says so, and the time
// that a stop leaves.
func TestDeploySignals(t *testing.T) {
	for name, all := range map[string][]string{
		"plume@.service": {
			"SuccessExitStatus=4 143\n", "RestartPreventExitStatus=2 3\n", "KillSignal=SIGTERM\n",
		},
		"plume.sbatch": {"#SBATCH --signal=B:USR1@300\n", "#SBATCH --requeue\n"},
		"plume-mpi.sbatch": {
			"#SBATCH --signal=B:USR1@300\n", "#SBATCH --requeue\n", " --kill-on-bad-exit=1 ",
		},
		"mpijob.yaml":   {"command: [plume-mpi.sh]\n", "terminationGracePeriodSeconds: 30\n"},
		"job.yaml":      {"values: [2, 3]", "terminationGracePeriodSeconds: 30\n"},
		"Containerfile": {"\nFROM scratch\n", "\nSTOPSIGNAL SIGTERM\n", "\nUSER 65532:65532\n"},
	} {
		for _, want := range all {
			if !strings.Contains(deployed(t, name), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	if exitUsage != 2 || exitDiverged != 3 || exitLimit != 4 {
		t.Error("the exit codes are not those of the deployment files")
	}
}

// systemd, where it is installed, takes the unit, and finds it well protected.
func TestService(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	root := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	const units = "usr/lib/systemd/system/"
	write(units+"plume@.service", deployed(t, "plume@.service"), 0o644)
	write("usr/bin/plume", "#!/bin/sh\n", 0o755)
	for _, target := range []string{"basic", "sysinit", "shutdown", "multi-user", "local-fs"} {
		write(units+target+".target", "[Unit]\n", 0o644)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", "--root=" + root, "plume@study.service"},
		{"security", "--offline=true", "--threshold=10", "--root=" + root, "plume@study.service"},
	} {
		out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
