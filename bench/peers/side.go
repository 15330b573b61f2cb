package main

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

//go:embed c kernels.py steps*.py
var sources embed.FS

// side is a column of the table: a process that answers lines (see worker.go), or the reason why
// it is absent.
type side struct {
	name   string
	about  string // version
	absent string // why there is no process
	in     io.WriteCloser
	out    *bufio.Reader
	log    bytes.Buffer
	cmd    *exec.Cmd

	env     []string
	command []string
	light   bool // starts quickly
}

// start starts the process with additional environment variables. Variables that slow the
// libraries of the sides down, or set their numbers of threads, are removed.
func (s *side) start(env []string, command ...string) {
	s.env, s.command = env, command
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(without(os.Environ(),
		"OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "ATEN_", "XLA_",
		"GOMAXPROCS=", kernel.EnvPath+"="), env...)
	s.cmd.Stderr = &s.log
	in, err := s.cmd.StdinPipe()
	if err != nil {
		s.absent = err.Error()
		return
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.absent = err.Error()
		return
	}
	if err := s.cmd.Start(); err != nil {
		s.absent = err.Error()
		return
	}
	s.in, s.out = in, bufio.NewReaderSize(out, 1<<16)
	if s.about, err = s.ask("about 0"); err != nil {
		s.stop()
		s.absent = err.Error()
	}
}

// renew restarts the process. The addresses of its memory change the time of a kernel in the cache
// by a tenth, so rounds should not share them.
func (s *side) renew() error {
	s.stop()
	s.log.Reset()
	s.start(s.env, s.command...)
	if s.absent != "" {
		return fmt.Errorf("%s does not restart: %s", s.name, s.absent)
	}
	return nil
}

// ask sends a line and reads the answer.
func (s *side) ask(line string) (string, error) {
	_, err := fmt.Fprintln(s.in, line)
	answer := ""
	if err == nil {
		answer, err = s.out.ReadString('\n')
	}
	if err != nil {
		s.stop() // completes the log
		return "", &silentError{s.name, line, errorLine(s.log.Bytes())}
	}
	return strings.TrimSpace(answer), nil
}

// silentError says that a side ended instead of answering. log is from its standard error.
type silentError struct{ side, line, log string }

func (e *silentError) Error() string {
	return fmt.Sprintf("%s did not answer %q: %s", e.side, e.line, e.log)
}

func (s *side) stop() {
	if s.in != nil {
		s.in.Close()
		s.cmd.Wait()
		s.in = nil
	}
}

func stopAll(sides []*side) {
	for _, s := range sides {
		s.stop()
	}
}

// errorLine is the most telling line of a program's standard error: the message of the first line
// with an error, or else the last line.
func errorLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, l := range lines {
		if _, message, ok := strings.Cut(l, "error: "); ok {
			return message
		}
	}
	return lines[len(lines)-1]
}
