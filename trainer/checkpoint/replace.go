package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// replaceDir renames tmp to dir. A directory cannot be renamed over one that is not empty, so an
// existing dir first gets a name that List and clearStale know.
func replaceDir(files file.System, tmp, dir string) error {
	root, base := filepath.Split(dir)
	old := filepath.Join(root, oldPrefix+base)
	if err := files.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := files.Rename(tmp, dir); err != nil {
		return errors.Join(err, restore(files, old, dir))
	}
	if err := files.SyncDir(filepath.Clean(root)); err != nil {
		return err
	}
	return files.RemoveAll(old)
}

// restore gives a checkpoint that was being replaced its name back.
func restore(files file.System, old, dir string) error {
	if err := files.Rename(old, dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clearStale removes what a killed process left in root. A checkpoint that was being replaced gets
// its name back if the new one has not taken it.
func clearStale(files file.System, root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if base, ok := strings.CutPrefix(e.Name(), oldPrefix); ok {
			dir := filepath.Join(root, base)
			if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
				if err := files.Rename(path, dir); err != nil {
					return err
				}
				continue
			} // otherwise the new checkpoint is in place, and the old one is removed
		}
		if hasAnyPrefix(e.Name(), tmpPrefix, oldPrefix, "."+latestName, "."+BestName) {
			if err := files.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// prune removes the checkpoints older than the newest Keep whole ones, but never the best nor the
// one named saved.
func (w *Writer) prune(saved string) error {
	if w.Keep <= 0 {
		return nil
	}
	all, err := List(w.RunDir)
	if err != nil {
		return err
	}
	best := target(filepath.Join(w.RunDir, rootName), BestName, all)
	whole := 0
	for _, c := range all {
		if whole < w.Keep || filepath.Base(c.Dir) == saved {
			if c.Problem == nil {
				whole++
			}
			continue
		}
		if filepath.Base(c.Dir) == best {
			continue
		}
		if err := w.remove(c.Dir); err != nil {
			return err
		}
	}
	return nil
}
