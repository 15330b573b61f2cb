package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// BestName is the name of the run's best checkpoint, if it keeps one: in checkpoints, beside
// "latest" and like it, it refers to a checkpoint.
const BestName = "best"

// ErrNoBest is wrapped by the error of a run that keeps no best checkpoint.
var ErrNoBest = errors.New("the run keeps no best checkpoint")

// MarkBest makes Commit let "best" refer to the checkpoint, too. The best checkpoint is not removed
// for being old.
func (p *Pending) MarkBest() { p.best = true }

// Best returns a run's best checkpoint. It may have a Problem.
func Best(runDir string) (Found, error) {
	root := filepath.Join(runDir, rootName)
	all, err := listSteps(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Found{}, fmt.Errorf("checkpoint: %w", err)
	}
	name := target(root, BestName, all)
	for _, c := range all {
		// Between two renamings of a save, the checkpoint has its name with a prefix.
		if strings.TrimPrefix(filepath.Base(c.Dir), oldPrefix) == name {
			return c, nil
		}
	}
	if name == BestName { // the only copy
		dir := filepath.Join(root, BestName)
		m, problem := inspect(dir)
		return Found{Dir: dir, Step: m.Step, Meta: m.Meta, Problem: problem}, nil
	}
	return Found{}, fmt.Errorf("checkpoint: %s: %w: looked for %s", runDir, ErrNoBest,
		filepath.Join(root, BestName))
}

// pointBest makes best refer to the checkpoint of that name. It replaces a directory in its place,
// the copy of an earlier one, which no longer is the best.
func (w *Writer) pointBest(root, name string) error {
	link := filepath.Join(root, BestName)
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		if err := w.remove(link); err != nil {
			return err
		}
	}
	return point(w.Files, root, BestName, name)
}

// forgetBest removes best if it refers to the checkpoint of that name, which is about to be
// removed.
func (w *Writer) forgetBest(name string) error {
	root := filepath.Join(w.RunDir, rootName)
	if target(root, BestName, nil) != name {
		return nil
	}
	return w.Files.RemoveAll(filepath.Join(root, BestName))
}
