package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/method"
)

// State is how far a run in a directory has come.
type State int

// States of a run.
const (
	NoRun    State = iota // the directory holds none, or does not exist
	Unsaved               // it ended before its first checkpoint
	Saved                 // it has a checkpoint, and has neither finished nor diverged
	Diverged              // its numbers are no longer finite
	Finished              // all its epochs are done
	Imported              // it was made from an export, and has no state to resume from
)

func (s State) String() string {
	return [...]string{"no run", "without a checkpoint", "unfinished", "diverged", "finished",
		"imported"}[s]
}

// StateOf returns how far the run in dir has come. Another process that holds its lock may change
// that at any time.
func StateOf(dir string) (State, error) {
	if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) {
		return NoRun, nil
	} else if err != nil {
		return NoRun, fmt.Errorf("run: %w", err)
	}
	if !Exists(dir) {
		return NoRun, nil
	}
	saved, err := checkpoint.List(dir)
	if err != nil {
		return NoRun, err
	}
	info, err := ReadInfo(dir)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return NoRun, err
	case err == nil && info.Imported != nil:
		return Imported, nil
	case err == nil && info.Finished != nil:
		return Finished, nil
	case err == nil && info.Diverged:
		return Diverged, nil
	case len(saved) > 0: // damaged or not: Load finds out
		return Saved, nil
	}
	return Unsaved, nil
}

// afterDivergence is what to try after a divergence.
const afterDivergence = "with a smaller --step-size or --lr, a larger --obs-noise, " +
	"or a --drift-clip"

// DivergedText tells the user where and how the run in dir diverged, and what to do.
func DivergedText(dir string) (string, error) {
	info, err := ReadInfo(dir)
	if err != nil {
		return "", err
	}
	last := Divergence{}
	text := fmt.Sprintf("the run in %s diverged", dir)
	if n := len(info.Divergences); n > 0 {
		last = info.Divergences[n-1]
		text += strings.TrimPrefix(last.What, method.ErrDiverged.Error())
	}
	text += "; start another one " + afterDivergence
	if last.Kept != "" {
		text += fmt.Sprintf(", or go on with this one from %s, with a larger "+
			"--divergence-retries: plume train --resume %s", last.Kept, dir)
	}
	return text, nil
}

// CheckSaved refuses a run without a checkpoint to resume from.
func CheckSaved(dir string) error {
	saved, err := checkpoint.List(dir)
	if err != nil {
		return err
	}
	if info, err := ReadInfo(dir); err == nil && info.Imported != nil {
		return fmt.Errorf("%s was imported from the export %s, which has no state to resume a "+
			"training from: sample, eval and export can read it; to go on with the training, copy "+
			"the directory of the original run", dir, info.Imported.File)
	}
	if len(saved) > 0 {
		return nil
	}
	text := fmt.Sprintf("checkpoint: none found in %s", filepath.Join(dir, checkpointsDir))
	switch state, err := StateOf(dir); {
	case err != nil:
	case state == Unsaved:
		text += fmt.Sprintf(": the run ended before its first one, and starts anew with "+
			"--out %s --resume", dir)
	case state == Diverged:
		text += ": the run diverged before its first one; start another one " + afterDivergence
	}
	return errors.New(text)
}
