package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// replaceDir renames tmp to dir. A directory cannot be renamed over a filled one, so an existing
// dir steps aside under a name that List and clearStale know, until the new one is in place.
func replaceDir(files file.System, tmp, dir string) error {
	root, base := filepath.Split(dir)
	old := filepath.Join(root, oldPrefix+base)
	if err := files.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := files.Rename(tmp, dir); err != nil {
		return errors.Join(err, putBack(files, old, dir))
	}
	if err := files.SyncDir(filepath.Clean(root)); err != nil {
		return err
	}
	return files.RemoveAll(old)
}

// putBack gives a checkpoint that stepped aside its name again.
func putBack(files file.System, old, dir string) error {
	if err := files.Rename(old, dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clearStale removes what a killed process left in root. A checkpoint that was about to be replaced
// and lost its name gets it back.
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
			} // else the new one is in place: the old one goes
		}
		if hasAnyPrefix(e.Name(), tmpPrefix, oldPrefix, "."+latestName) {
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

// prune removes the checkpoints older than the newest Keep whole ones, but never the one of that
// name.
func (w *Writer) prune(saved string) error {
	if w.Keep <= 0 {
		return nil
	}
	all, err := List(w.RunDir)
	if err != nil {
		return err
	}
	whole := 0
	for _, c := range all {
		if whole < w.Keep || filepath.Base(c.Dir) == saved {
			if c.Problem == nil {
				whole++
			}
			continue
		}
		if err := w.remove(c.Dir); err != nil {
			return err
		}
	}
	return nil
}
