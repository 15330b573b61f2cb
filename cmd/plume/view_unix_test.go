//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// session is a command on a terminal of 80 x 24.
type session struct {
	t     *testing.T
	cmd   *exec.Cmd
	pty   *os.File
	term  vt10x.Terminal
	raw   strings.Builder
	ended chan struct{} // closed when the command has closed its terminal
}

// onTerminal starts a command on a terminal.
func onTerminal(t *testing.T, cmd *exec.Cmd) *session {
	t.Helper()
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	s := &session{
		t: t, cmd: cmd, pty: file, term: vt10x.New(vt10x.WithSize(80, 24)),
		ended: make(chan struct{}),
	}
	t.Cleanup(func() { cmd.Process.Kill(); file.Close() })
	go func() {
		defer close(s.ended)
		io.Copy(io.MultiWriter(&runes{to: s.term}, &s.raw), file) // ends with an error of Linux
	}()
	return s
}

// runes passes whole characters on: the emulator takes the beginning of one for an error.
type runes struct {
	to   io.Writer
	rest []byte
}

func (r *runes) Write(p []byte) (int, error) {
	r.rest = append(r.rest, p...)
	n := len(r.rest)
	for i := 1; i <= min(n, utf8.UTFMax); i++ {
		if last := r.rest[n-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				n -= i
			}
			break
		}
	}
	_, err := r.to.Write(r.rest[:n])
	r.rest = append(r.rest[:0], r.rest[n:]...)
	return len(p), err
}

// ends waits for the end of the command, and returns what is on the terminal.
func (s *session) ends(code int) string {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.cmd.Process.Kill()
		<-s.ended
	}
	s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, expected %d; on the terminal:\n%s", got, code, s.term)
	}
	return s.term.String()
}

// viewing trains on a terminal.
func viewing(t *testing.T, env string, flags ...string) *session {
	t.Helper()
	cmd := inDir(t, t.TempDir(), append([]string{"train", "--config", "tiny.toml"}, flags...)...)
	cmd.Env = append(cmd.Environ(), "TERM=xterm-256color", env)
	return onTerminal(t, cmd)
}

// On a terminal the progress of a run is a view with curves, above which messages and below which
// the result stay. It changes no mode of the terminal: but for colours, what moves the cursor and
// what erases, there is no control sequence in the output.
func TestViewOnTerminal(t *testing.T) {
	s := viewing(t, "X=", "--epochs", "20", "--eval-every", "10")
	seen := s.ends(0)
	for _, want := range []string{"MSE", "PCA-64 FD", "╰", "Trained 80 steps"} {
		if !strings.Contains(seen, want) {
			t.Errorf("no %q on the terminal:\n%s", want, seen)
		}
	}
	if raw := s.raw.String(); !strings.Contains(raw, "━ 100 %") || strings.Count(raw, "━") < 99 {
		t.Errorf("no progress in %q", raw)
	}
	rest := aColour.ReplaceAllString(s.raw.String(), "")
	for _, known := range []string{"\x1b[K", "\x1b[J"} {
		rest = strings.ReplaceAll(rest, known, "")
	}
	rest = moved.ReplaceAllString(rest, "")
	if i := strings.IndexByte(rest, '\x1b'); i >= 0 {
		t.Errorf("another sequence: %q", rest[i:min(len(rest), i+20)])
	}
}

// Without a terminal, on a dumb one, or where a line is asked for, there is no view; without a
// terminal there are no control sequences at all.
func TestNoView(t *testing.T) {
	flags := []string{"--epochs", "3", "--eval-samples", "0"}
	for name, s := range map[string]*session{
		"--plain":       viewing(t, "X=", append(flags, "--plain")...),
		"PLUME_PLAIN=1": viewing(t, "PLUME_PLAIN=1", flags...),
		"TERM=dumb":     viewing(t, "TERM=dumb", flags...),
	} {
		seen := s.ends(0)
		if strings.Contains(s.raw.String(), "━") || !strings.Contains(seen, "Trained") ||
			strings.Contains(s.raw.String(), "means nothing") {
			t.Errorf("%s:\n%s", name, seen)
		}
	}
	cmd := inDir(t, t.TempDir(), append([]string{"train", "--config", "tiny.toml"}, flags...)...)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.ContainsAny(string(out), "\x1b\r━") {
		t.Errorf("%v, %q", err, out)
	}
}

// Ctrl-C ends a run with a view as one without, with the cursor at the start of a line.
func TestViewInterrupted(t *testing.T) {
	s := viewing(t, "X=", "--epochs", "100000", "--eval-samples", "0")
	for begun := time.Now(); !strings.Contains(s.term.String(), "MSE"); {
		if time.Since(begun) > time.Minute {
			t.Fatalf("no view:\n%s", s.term)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := s.pty.Write([]byte{3}); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	seen := s.ends(130)
	for _, want := range []string{"interrupted: saving a checkpoint", "go on with: plume train"} {
		if !strings.Contains(seen, want) {
			t.Errorf("no %q on the terminal:\n%s", want, seen)
		}
	}
	if at := s.term.Cursor(); at.X != 0 {
		t.Errorf("the cursor is in column %d:\n%s", at.X, seen)
	}
}
