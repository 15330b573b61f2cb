package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// stubborn is a command that hears the first signal, has something to save, and does not end.
func stubborn() {
	ctx, interrupt := watchSignals(context.Background(), func(string) {})
	interrupt.somethingToSave()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("heard", interrupt.exitCode())
	select {}
}

// stuck is a command that has nothing to save and does not hear the end of its context.
func stuck() {
	_, interrupt := watchSignals(context.Background(), func(notice string) { fmt.Println(notice) })
	interrupt.nothingToSave("notice", func() { fmt.Println("cleaned up") })
	fmt.Println("ready")
	select {}
}

// hear starts a command that becomes stubborn, sends it signals, and compares what it heard
// first. Then SIGINT must end it at once, if it comes late enough to be another one.
func hear(t *testing.T, cmd *exec.Cmd, want string, signals ...os.Signal) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	for _, want := range []string{"ready\n", "heard " + want + "\n"} {
		if line, err := reader.ReadString('\n'); err != nil || line != want {
			t.Errorf("%q, %v, expected %q", line, err, want)
		}
		for _, s := range signals {
			if err := cmd.Process.Signal(s); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(sameSignal + sameSignal/2)
		signals = []os.Signal{os.Interrupt}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%v, expected exit code 130", err)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	hear(t, exec.Command("stubborn"), "130", os.Interrupt)
	hear(t, exec.Command("stubborn"), "143", syscall.SIGTERM)
	hear(t, exec.Command("stubborn"), "130", os.Interrupt, os.Interrupt) // which are one
}

// A closed terminal is heard, unless nohup or a shell made the process deaf to it.
func TestHangup(t *testing.T) {
	// Whoever started the tests may have made them deaf, too; a handler here undoes that for
	// the processes that they start.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	hear(t, exec.Command("stubborn"), "129", syscall.SIGHUP)
	hear(t, exec.Command("sh", "-c", "trap '' HUP; exec stubborn"), "143", syscall.SIGHUP,
		syscall.SIGTERM)
}

// scripted is an interrupt whose clock the test sets, and what it did.
type scripted struct {
	interrupt
	at     time.Duration
	notice []string
	codes  []int
	later  func()
	ended  bool
}

func newScripted() *scripted {
	s := &scripted{}
	s.now = func() time.Time { return time.Unix(0, 0).Add(s.at) }
	s.after = func(_ time.Duration, do func()) { s.later = do }
	s.exit = func(code int) { s.codes = append(s.codes, code) }
	s.notify = func(text string) { s.notice = append(s.notice, text) }
	s.cancel = func() { s.ended = true }
	return s
}

// Signals less than half a second after the first are the first; the process ends with the code of
// the one that comes later.
func TestSignalsAtOnceAreOne(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  []int
	}{{0, nil}, {sameSignal - 1, nil}, {sameSignal, []int{143}}, {time.Hour, []int{143}}} {
		s := newScripted()
		s.somethingToSave()
		s.hear(os.Interrupt)
		s.at = c.after
		s.hear(syscall.SIGTERM)
		if fmt.Sprint(s.codes) != fmt.Sprint(c.want) || !s.ended || s.exitCode() != 130 {
			t.Errorf("after %v: ended with %v, expected %v; context ended: %t, code %d",
				c.after, s.codes, c.want, s.ended, s.exitCode())
		}
		if len(s.notice) != 1 || s.notice[0] != savingNotice {
			t.Errorf("notice %q", s.notice)
		}
	}
}

// A command is waited for as long as it has something to save, and no longer.
func TestGiveUp(t *testing.T) {
	cleaned := 0
	for _, c := range []struct {
		name  string
		state func(s *scripted)
		want  int
	}{
		{"nothing to save", func(s *scripted) { s.nothingToSave("", func() { cleaned++ }) }, 1},
		{"something to save", func(s *scripted) {
			s.nothingToSave("", nil)
			s.somethingToSave()
		}, 0},
		{"nothing said", func(*scripted) {}, 0},
	} {
		s := newScripted()
		c.state(s)
		s.hear(os.Interrupt)
		s.later()
		if len(s.codes) != c.want || c.want > 0 && s.codes[0] != 130 {
			t.Errorf("%s: ended with %v", c.name, s.codes)
		}
	}
	if cleaned != 1 {
		t.Errorf("cleaned up %d times", cleaned)
	}
}

// A command that is stuck where nothing is to be saved ends all the same, after cleaning up.
func TestStuckEnds(t *testing.T) {
	cmd := exec.Command("stuck")
	p := begin(t, cmd, "ready")
	p.signal(syscall.SIGTERM)
	p.ends(143)
	p.said("notice", "cleaned up")
}
