package checkpoint

import "path/filepath"

// Slowed records how a run was slowed down after divergences. The zero value means not at all.
type Slowed struct {
	Retries int     `json:"retries"` // number of returns to an earlier state
	Factor  float64 `json:"factor"`  // of the configured step size and learning rate
	From    int     `json:"from"`    // step of the state last returned to
	Times   int     `json:"times"`   // number of consecutive returns to that state
}

// Before returns the checkpoint with the highest step below the given one, of those without a
// Problem. It returns the zero Found if there is none.
func Before(runDir string, step int) (Found, error) {
	all, err := List(runDir)
	if err != nil {
		return Found{}, err
	}
	var best Found
	for _, c := range all {
		if c.Problem == nil && c.Step < step && (best.Dir == "" || c.Step > best.Step) {
			best = c
		}
	}
	return best, nil
}

// abandoned describes the checkpoints that became obsolete when a run went back to an earlier step:
// those of later steps that existed when the first checkpoint after that was begun.
type abandoned struct {
	step int
	last int // Meta.Saved of the last of them; 0: not determined yet
}

// Abandon announces that the run has gone back to its state after the given step and will redo all
// later steps. The next successful Commit removes the existing checkpoints of later steps; until
// then they are the newest state on disk.
func (w *Writer) Abandon(step int) { w.redone = &abandoned{step: step} }

// removeAbandoned removes the abandoned checkpoints.
func (w *Writer) removeAbandoned() error {
	if w.redone == nil {
		return nil
	}
	all, err := List(w.RunDir)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Step > w.redone.step && c.Meta.Saved <= w.redone.last {
			if err := w.forgetBest(filepath.Base(c.Dir)); err != nil {
				return err
			}
			if err := w.remove(c.Dir); err != nil {
				return err
			}
		}
	}
	w.redone = nil
	return nil
}

// remove removes a checkpoint. It renames it first, so that an interrupted removal does not leave
// an incomplete checkpoint.
func (w *Writer) remove(dir string) error {
	root, name := filepath.Split(dir)
	tmp := filepath.Join(root, tmpPrefix+name)
	if err := w.Files.Rename(dir, tmp); err != nil {
		return err
	}
	return w.Files.RemoveAll(tmp)
}
