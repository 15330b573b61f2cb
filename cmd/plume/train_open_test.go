package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// await FILE waits until a file is there.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(
		10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear within a minute", args[0])
}

// A run may stand in its own argument or in the next one, or be left out.
func TestJoinResume(t *testing.T) {
	for text, want := range map[string]string{
		"train --resume auto":             "train --resume=auto",
		"train --resume 7 --epochs 2":     "train --resume=7 --epochs 2",
		"train --resume=auto -q":          "train --resume=auto -q",
		"train --out d --resume":          "train --out d --resume",
		"train --resume --out d":          "train --resume --out d",
		"train --resume -q":               "train --resume -q",
		"train --resume a --resume b":     "train --resume=a --resume=b",
		"train -- --resume a":             "train -- --resume a",
		"__complete train --resume a":     "__complete train --resume a",
		"sample 7 -n 3":                   "sample 7 -n 3",
		"":                                "",
		"train --config c --resume ./a=b": "train --config c --resume=./a=b",
	} {
		if got := strings.Join(joinResume(strings.Fields(text)), " "); got != want {
			t.Errorf("%s: %s, expected %s", text, got, want)
		}
	}
	got := joinResume([]string{"train", "--resume", ""})
	if !slices.Equal(got, []string{"train", "--resume="}) {
		t.Errorf("an empty run: %q", got)
	}
}

// starter is a process that starts a run.
type starter struct {
	*exec.Cmd
	stderr bytes.Buffer
}

// Of processes that start one run at the same moment, one does; the others are refused and told
// who does.
func TestOneOfManyStarts(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tiny.toml"), []byte(tiny), 0o666); err != nil {
		t.Fatal(err)
	}
	const count = 4
	var all []*starter
	ended := make(chan *starter, count)
	for range count {
		p := &starter{Cmd: exec.Command("plume", "train", "--config", "tiny.toml",
			"--epochs", "1000000",
			"--eval-every", "0", "--threads", "1", "--out", "run", "--resume")}
		p.Dir, p.Stderr = dir, &p.stderr
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Process.Kill() })
		go func() { p.Wait(); ended <- p }()
		all = append(all, p)
	}
	for range count - 1 {
		p := <-ended
		all = slices.DeleteFunc(all, func(other *starter) bool { return other == p })
		if p.ProcessState.ExitCode() != 1 ||
			!strings.Contains(p.stderr.String(), "run is in use by process ") {
			t.Errorf("exit code %d: %s", p.ProcessState.ExitCode(), &p.stderr)
		}
	}
	winner := all[0]
	time.Sleep(100 * time.Millisecond)
	if err := winner.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := winner.ProcessState.ExitCode(); code != 143 {
		t.Errorf("the one that started: exit code %d: %s", code, &winner.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", "lock")); !os.IsNotExist(err) {
		t.Errorf("the lock file: %v", err)
	}
}
