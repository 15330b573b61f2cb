package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// patience is how long a command may take to obey. It is obeyed within a second; without
// obedience each of the phases below takes minutes.
const patience = 15 * time.Second

// process is a command under way.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // of both outputs; closed at their end
	text  strings.Builder
}

// start starts a command.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	p := &process{t: t, cmd: cmd, lines: make(chan string, 1<<16)}
	t.Cleanup(func() { cmd.Process.Kill() })
	go func() {
		defer r.Close()
		defer close(p.lines)
		for reader := bufio.NewReader(r); ; {
			line, err := reader.ReadString('\n')
			p.lines <- line
			if err != nil {
				io.Copy(io.Discard, reader)
				return
			}
		}
	}()
	return p
}

// begin starts a command and waits for a line with the given words on either output.
func begin(t *testing.T, cmd *exec.Cmd, words string) *process {
	t.Helper()
	p := start(t, cmd)
	for line := range p.lines {
		p.text.WriteString(line)
		if strings.Contains(line, words) {
			return p
		}
	}
	t.Fatalf("%v ended without %q:\n%s", cmd.Args, words, &p.text)
	return nil
}

func (p *process) signal(signals ...os.Signal) {
	p.t.Helper()
	for _, s := range signals {
		if err := p.cmd.Process.Signal(s); err != nil {
			p.t.Fatal(err)
		}
	}
}

// read returns all that the process says until it ends, or is killed when patience is over.
func (p *process) read() string {
	impatient := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer impatient.Stop()
	for line := range p.lines {
		p.text.WriteString(line)
	}
	return p.text.String()
}

// ends expects the process to end soon, with the code.
func (p *process) ends(code int) {
	p.t.Helper()
	p.read()
	p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf(
			"%v: exit code %d (-1: killed after %v), expected %d\n%s",
			p.cmd.Args,
			got,
			patience,
			code,
			&p.text,
		)
	}
}

func (p *process) said(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if strings.Count(p.text.String(), line) != 1 {
			p.t.Errorf("expected %q once in:\n%s", line, &p.text)
		}
	}
}

// appears waits for a file.
func (p *process) appears(path string) {
	p.t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Since(begun) > time.Minute {
			p.t.Fatalf("%s does not appear", path)
		}
	}
}

// inDir is the command with a configuration file of the small run.
func inDir(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "tiny.toml"), []byte(tiny), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("plume", args...)
	cmd.Dir = dir
	return cmd
}

// endless are flags that make the report at the end of a run take minutes.
var endless = []string{"train", "--config", "tiny.toml", "--epochs", "2", "--eval-every", "0",
	"--eval-samples", "200000", "--solver-steps", "1000", "--solver", "ancestral", "--out", "run"}

// A run that is interrupted while it reads its data says so in one line, and leaves nothing.
func TestReadingIsLeft(t *testing.T) {
	dir := t.TempDir()
	manyPictures(t, filepath.Join(dir, "photos"), 20_000)
	for _, out := range [][]string{{"--out", "new/run"}, {"--runs", "new"}} {
		args := append([]string{"train", "--data", "photos", "--gray"}, out...)
		p := begin(t, inDir(t, dir, args...), "BLAS: ")
		p.signal(syscall.SIGTERM)
		p.ends(143)
		p.said("\n"+tooEarlyNotice+"\n", "interrupted")
		if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
			t.Errorf("%v left its directory", args)
		}
	}
}

// manyPictures fills a directory with one picture under many names.
func manyPictures(t *testing.T, dir string, n int) {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 128, 128))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * i >> 3)
	}
	var text bytes.Buffer
	if err := errors.Join(os.Mkdir(dir, 0o777), png.Encode(&text, picture)); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, "00000.png")
	err := os.WriteFile(first, text.Bytes(), 0o666)
	for i := 1; i < n && err == nil; i++ {
		err = os.Link(first, filepath.Join(dir, fmt.Sprintf("%05d.png", i)))
	}
	if err != nil {
		t.Skip("no hard links here: ", err)
	}
}

// A report is obeyed in. What is due is saved before it: a process killed in it has lost nothing
// but the report, which the resumed run makes.
func TestReportIsLeft(t *testing.T) {
	for _, c := range []struct {
		signals []os.Signal
		code    int
	}{
		{[]os.Signal{os.Interrupt}, 130},
		{[]os.Signal{os.Interrupt, os.Interrupt}, 130}, // as timeout sends it
		{[]os.Signal{syscall.SIGTERM}, 143},
		{[]os.Signal{syscall.SIGKILL}, -1},
	} {
		dir := t.TempDir()
		run := filepath.Join(dir, "run")
		p := begin(t, inDir(t, dir, endless...), "Run directory")
		p.appears(filepath.Join(run, "checkpoints", "latest"))
		p.signal(c.signals...)
		p.ends(c.code)
		saved, err := checkpoint.Latest(run)
		if err != nil {
			t.Fatal(err)
		}
		if c.code > 0 {
			p.said("interrupted after saving a checkpoint")
		}

		resumed := inDir(t, dir, "train", "--resume", "run",
			"--eval-samples", "200", "--solver-steps", "4")
		out, err := resumed.CombinedOutput()
		if err != nil {
			t.Fatalf("after %v: %v\n%s", c.signals, err, out)
		}
		metrics, err := os.ReadFile(filepath.Join(run, "metrics.jsonl"))
		if lines := strings.Split(strings.TrimSpace(string(metrics)), "\n"); err != nil ||
			len(lines) != 2 || !strings.Contains(lines[1], `"pca64_fd":`) {
			t.Errorf("after %v: metrics\n%s", c.signals, metrics)
		}
		if again, err := checkpoint.Latest(run); err != nil || again != saved {
			t.Errorf("after %v: saved as %s, then %s (%v): expected no further step",
				c.signals, saved, again, err)
		}
	}
}

func TestCompareIsLeft(t *testing.T) {
	args := []string{"compare", "--methods", "ipld", "--config", "tiny.toml", "--epochs", "1",
		"--metrics", "pca",
		"--eval-samples", "200000", "--solver-steps", "1000", "--solver", "ancestral", "-o", "all"}
	for _, words := range []string{"Timing the contestants", "Run 1 of 1: ipld"} {
		dir := t.TempDir()
		p := begin(t, inDir(t, dir, args...), words)
		p.signal(syscall.SIGTERM)
		p.ends(143)
		p.said("go on with the same command: ")
		if words == "Timing the contestants" {
			if _, err := os.Stat(filepath.Join(dir, "all")); err == nil {
				t.Error("a comparison that had not begun left its directory")
			}
		}
	}
}

// Commands that store nothing but their result leave nothing behind, wherever they are.
func TestOutputIsLeft(t *testing.T) {
	dir := t.TempDir()
	train := inDir(t, dir, "train", "--config", "tiny.toml", "--epochs", "1", "--out", "run")
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for words, args := range map[string][]string{
		"8.1":     {"verify", "--thorough", "-o", "new/out"},
		"plume: ": {"eval", "run", "-n", "100000", "--only", "pca", "-o", "new/out"},
	} {
		p := begin(t, inDir(t, dir, args...), words)
		p.signal(syscall.SIGTERM)
		p.ends(143)
		p.said("interrupted")
		if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
			t.Errorf("%v left its directory", args)
		}
	}
}

func TestMeasuringIsLeft(t *testing.T) {
	p := begin(t, exec.Command("plume", "info", "--measure"), "Measuring")
	p.signal(syscall.SIGTERM)
	p.ends(143)
	p.said("plume: interrupted")
}
