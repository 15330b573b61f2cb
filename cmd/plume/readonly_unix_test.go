//go:build unix

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user without rights.
const nobody = 65534

// asNobody makes a command of root's run without root's rights; others have none anyway.
func asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	openToAll(t, filepath.Dir(cmd.Path))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
		Gid: nobody}}
}

// A run in a directory that nobody may write is sampled and evaluated; training says what it
// lacks, and one that nobody may read is named. Root may everything: it tests as somebody else.
func TestReadOnlyRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tiny.toml"), []byte(tiny), 0o666); err != nil {
		t.Fatal(err)
	}
	runAs := func(code int, want string, args ...string) {
		t.Helper()
		cmd := exec.Command("plume", args...)
		cmd.Dir = dir
		asNobody(t, cmd)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), want) {
			t.Errorf("%q: exit code %d: %s\nexpected %d, %q", args, got, out, code, want)
		}
	}
	openToAll(t, dir)
	runAs(0, "", "train", "--config", "tiny.toml", "--out", "run")
	before := modesBelow(t, filepath.Join(dir, "run"))
	for path := range before {
		chmod(t, path, 0o555)
	}
	t.Cleanup(func() {
		for path, mode := range before {
			chmod(t, path, mode)
		}
	})
	runAs(0, "s.npy", "sample", "run", "-n", "2", "-o", "s.npy")
	runAs(0, "", "eval", "run", "--only", "pca", "-n", "50")
	runAs(1, "permission denied", "train", "--resume", "run", "--epochs", "3")
	chmod(t, filepath.Join(dir, "run"), 0)
	for _, command := range []string{"sample", "eval"} {
		runAs(2, "run: permission denied; expected the directory of a run", command, "run")
	}
}

func openToAll(t *testing.T, dir string) {
	t.Helper()
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		chmod(t, at, 0o777)
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Error(err)
	}
}

// modesBelow are the permissions of a directory and of all in it but links.
func modesBelow(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := e.Info()
		modes[path] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return modes
}
