package serve

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/plume-ml/plume/trainer/run"
)

// trainingProcess finds the process that trains the run in dir, to be released. It is an error
// unless the process is known for sure: it has the very lock file open, and its command line is one
// of plume train. os.FindProcess holds on to it, so that a later process with the same number is
// not taken for it.
func trainingProcess(dir string) (*training, error) {
	h, err := holderHere(dir)
	if err != nil {
		return nil, err
	}
	process, err := os.FindProcess(h.PID)
	if err != nil {
		return nil, err
	}
	t := &training{h, process}
	if err := t.check(dir); err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

func (t *training) check(dir string) error {
	own := filepath.Join("/proc", fmt.Sprint(t.holder.PID))
	line, err := os.ReadFile(filepath.Join(own, "cmdline"))
	if err != nil {
		return fmt.Errorf("process %d is not one of this machine, or not seen from here",
			t.holder.PID)
	}
	words := bytes.Split(line, []byte{0})
	if !slices.ContainsFunc(words[1:], func(w []byte) bool { return string(w) == "train" }) {
		return fmt.Errorf("process %d, which writes it, is not plume train: a signal might end it "+
			"without a checkpoint", t.holder.PID)
	}
	lock, err := os.Stat(run.LockPath(dir))
	if err != nil {
		return fmt.Errorf("no process is training it")
	}
	files, err := filepath.Glob(filepath.Join(own, "fd", "*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && os.SameFile(info, lock) {
			return nil
		}
	}
	return fmt.Errorf("process %d is another user's, or does not hold its lock", t.holder.PID)
}

// stop asks the process to save a checkpoint and end.
func (t *training) stop() error { return t.process.Signal(syscall.SIGTERM) }
