//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Commands whose output nobody reads end quietly, with the exit code that a shell shows of a
// process ended by SIGPIPE.
func TestNobodyReads(t *testing.T) {
	dir := t.TempDir()
	train := inDir(t, dir, "train", "--config", "tiny.toml", "--epochs", "1", "--out", "run")
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range []string{
		"info", "info --json", "runs list . --json", "runs list .", "runs show ./run",
		"curves ./run", "latents ./run -q", "sample ./run -n 4 -o - -q",
		"inspect ./run", "train --config tiny.toml --epochs 1 --out again -q",
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var said strings.Builder
		cmd := exec.Command("plume", strings.Fields(args)...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, w, &said
		cmd.Run()
		w.Close()
		if code := cmd.ProcessState.ExitCode(); code != exitUnread {
			t.Errorf("%s: exit code %d, %s", args, code, &said)
		}
		if strings.Contains(said.String(), "pipe") || strings.Contains(said.String(), "plume:") {
			t.Errorf("%s: %s", args, &said)
		}
	}
}
