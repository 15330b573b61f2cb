package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// State is how far a run in a directory has come.
type State int

// States of a run.
const (
	NoRun    State = iota // the directory holds none, or does not exist
	Unsaved               // it was begun, and ended before its first checkpoint
	Saved                 // it has a checkpoint to go on from, and has not come to its end
	Diverged              // its numbers became infinite, or no numbers
	Finished              // it came to its end
)

func (s State) String() string {
	return [...]string{"no run", "without a checkpoint", "unfinished", "diverged", "finished"}[s]
}

// StateOf tells how far the run in a directory has come. Another process that is at work on it, as
// the lock tells, may change that.
func StateOf(dir string) (State, error) {
	if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) {
		return NoRun, nil
	} else if err != nil {
		return NoRun, fmt.Errorf("run: %w", err)
	}
	if !IsRun(dir) {
		return NoRun, nil
	}
	saved, err := hasCheckpoints(dir)
	if err != nil {
		return NoRun, err
	}
	info, err := LoadRunInfo(dir)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return NoRun, err
	case err == nil && info.Finished != nil:
		return Finished, nil
	case err == nil && info.Diverged:
		return Diverged, nil
	case saved:
		return Saved, nil
	}
	return Unsaved, nil
}

// hasCheckpoints tells whether there is anything that is, or was, a checkpoint; whether it is
// whole is for its reader to find out. A beginning of one that was never completed is none.
func hasCheckpoints(runDir string) (bool, error) {
	entries, err := os.ReadDir(filepath.Join(runDir, checkpointsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("checkpoints: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, "step-") || strings.HasPrefix(name, ".old-") ||
			name == "latest" && e.IsDir() { // of a copy without links
			return true, nil
		}
	}
	return false, nil
}

// What is to be tried after a divergence.
const afterDivergence = "with a smaller --step-size or --lr, a larger --obs-noise, or a --drift-clip"

// DivergedText says what is left to do with a run that diverged.
func DivergedText(runDir string) string {
	text := fmt.Sprintf("the run in %s diverged: start another one %s", runDir, afterDivergence)
	if saved, err := hasCheckpoints(runDir); err == nil && saved {
		text += fmt.Sprintf(" (--resume %s goes on with this one from its last checkpoint)", runDir)
	}
	return text
}

// checkSaved refuses a run without a checkpoint to go on from.
func checkSaved(runDir string) error {
	saved, err := hasCheckpoints(runDir)
	if err != nil || saved {
		return err
	}
	text := fmt.Sprintf("checkpoint: none found in %s", filepath.Join(runDir, checkpointsDir))
	switch state, err := StateOf(runDir); {
	case err != nil:
	case state == Unsaved:
		text += fmt.Sprintf(": the run ended before its first one, and starts anew with --out %s --resume", runDir)
	case state == Diverged:
		text += ": the run diverged before its first one; start another one " + afterDivergence
	}
	return errors.New(text)
}
