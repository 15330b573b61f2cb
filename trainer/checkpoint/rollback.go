package checkpoint

import (
	"errors"
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

// Before returns the directory of the newest complete checkpoint of a run of a step below that of the
// checkpoint in newer, or "" where there is none.
func Before(runDir, newer string) (dir string, err error) {
	step, err := Step(newer)
	if err != nil {
		return "", err
	}
	root := filepath.Join(runDir, rootName)
	all, err := list(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range all {
		if dir := filepath.Join(root, c.name); c.step < step && complete(dir) {
			return dir, nil
		}
	}
	return "", nil
}

// Drop removes the checkpoints of steps beyond the given one, of a continuation that is being
// redone. It must not be called while one of them is the latest.
func Drop(runDir string, step int) error {
	root := filepath.Join(runDir, rootName)
	all, err := list(root)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range all {
		if c.step <= step {
			continue
		}
		// Without its name first: an interrupted removal leaves no incomplete checkpoint.
		tmp := filepath.Join(root, tmpPrefix+strings.TrimPrefix(c.name, oldPrefix))
		if err := os.Rename(filepath.Join(root, c.name), tmp); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if err := os.RemoveAll(tmp); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return nil
}
