package checkpoint

import "path/filepath"

// Slowed is what divergences have done to a run: how often it went back to an earlier state, and by
// what factor its step size and learning rate are smaller than configured. The zero value: nothing.
type Slowed struct {
	Retries int     `json:"retries"`
	Factor  float64 `json:"factor"`
	From    int     `json:"from"`  // step of the state that it went back to last
	Times   int     `json:"times"` // how often in a row to that one
}

// Before returns the checkpoint of the highest step below the given one, of those without a
// Problem, or the zero Found where there is none.
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

// abandoned are the checkpoints of a continuation that is being redone: those of steps beyond step
// that were there when the first checkpoint after going back to that step was begun.
type abandoned struct {
	step int
	last int // number of the last of them, as in Meta.Saved; 0: not looked for yet
}

// Abandon says that the run went back to a state after the given step and makes all further steps
// anew. The next Commit that succeeds removes the checkpoints of later steps there are by then:
// not sooner, since until then they are the newest state on the disk.
func (w *Writer) Abandon(step int) { w.redone = &abandoned{step: step} }

// drop removes the abandoned checkpoints.
func (w *Writer) drop() error {
	if w.redone == nil {
		return nil
	}
	all, err := List(w.RunDir)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Step > w.redone.step && c.Meta.Saved <= w.redone.last {
			if err := w.remove(c.Dir); err != nil {
				return err
			}
		}
	}
	w.redone = nil
	return nil
}

// remove removes a checkpoint. It loses its name first, so that an interrupted removal leaves no
// incomplete checkpoint.
func (w *Writer) remove(dir string) error {
	root, name := filepath.Split(dir)
	tmp := filepath.Join(root, tmpPrefix+name)
	if err := w.Files.Rename(dir, tmp); err != nil {
		return err
	}
	return w.Files.RemoveAll(tmp)
}
