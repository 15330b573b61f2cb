package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Slowed is what divergences have done to a run: how often it went back to an earlier state, and by
// what factor its step size and learning rate are smaller than configured. The zero value: nothing.
type Slowed struct {
	Retries int     `json:"retries"`
	Factor  float64 `json:"factor"`
	From    int     `json:"from"`  // step of the state that it went back to last
	Times   int     `json:"times"` // how often in a row to that one
}

// Before returns the directory of the checkpoint of the highest step below that of the checkpoint in
// newer, of those without a Problem, or "" where there is none.
func Before(runDir, newer string) (dir string, err error) {
	step, err := Step(newer)
	if err != nil {
		return "", err
	}
	all, err := List(runDir)
	if err != nil {
		return "", err
	}
	best := -1
	for _, c := range all {
		if c.Problem == nil && c.Step < step && c.Step > best {
			dir, best = c.Dir, c.Step
		}
	}
	return dir, nil
}

// Drop removes the checkpoints of steps beyond the given one, of a continuation that is being
// redone. It must not be called while one of them is the latest.
func Drop(runDir string, step int) error {
	root := filepath.Join(runDir, rootName)
	all, err := listSteps(root)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range all {
		if c.Step <= step {
			continue
		}
		// Without its name first: an interrupted removal leaves no incomplete checkpoint.
		tmp := filepath.Join(root, tmpPrefix+strings.TrimPrefix(filepath.Base(c.Dir), oldPrefix))
		if err := os.Rename(c.Dir, tmp); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if err := os.RemoveAll(tmp); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return nil
}
