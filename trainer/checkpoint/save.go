package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

const panicMeta = "checkpoint: negative step, epoch, batch or repeat"

// Save writes a checkpoint of the tensors and returns its directory,
// runDir/checkpoints/step-%06d, named after meta.Step. It appears under that name complete or not
// at all; one of the same step is replaced; then the link "latest" is moved to it. What an
// interrupted Save left behind is cleared away first.
//
// With keep > 0, checkpoints older than the newest keep are removed, but never the one just
// saved. If only that fails, the error comes with the directory of the good checkpoint.
//
// Errors are those of the file system, with the path. Malformed tensors panic.
func Save(runDir string, meta Meta, tensors []Tensor, keep int) (dir string, err error) {
	if meta.Step < 0 || meta.Epoch < 0 || meta.Batch < 0 || meta.Repeat < 0 {
		panic(panicMeta)
	}
	check(tensors)
	meta.Format = Format
	root := filepath.Join(runDir, rootName)
	dir = filepath.Join(root, stepName(meta.Step))
	if err := save(root, dir, meta, tensors); err != nil {
		return "", fmt.Errorf("checkpoint: saving %s: %w", dir, err)
	}
	if err := prune(root, filepath.Base(dir), keep); err != nil {
		return dir, fmt.Errorf("checkpoint: removing old checkpoints: %w", err)
	}
	return dir, nil
}

func save(root, dir string, meta Meta, tensors []Tensor) error {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(root)); err != nil {
		return err
	}
	if err := clearStale(root); err != nil {
		return err
	}
	tmp := filepath.Join(root, tmpPrefix+filepath.Base(dir))
	if err := fill(tmp, meta, tensors); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := replaceDir(tmp, dir); err != nil {
		return err
	}
	if err := renameio.Symlink(filepath.Base(dir), filepath.Join(root, latestName)); err != nil {
		return err
	}
	return syncDir(root)
}

// fill writes both files of a checkpoint into the new directory dir, down to the disk.
func fill(dir string, meta Meta, tensors []Tensor) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	sum := sha256.New()
	err := writeFile(filepath.Join(dir, stateName), func(w io.Writer) error {
		return writeSafetensors(io.MultiWriter(w, sum), tensors)
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(metaFile{meta, hex.EncodeToString(sum.Sum(nil))}, "", "  ")
	if err != nil {
		return err
	}
	err = writeFile(filepath.Join(dir, metaName), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// writeFile creates a file, lets write fill it and syncs it.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// replaceDir renames tmp to dir. A directory cannot be renamed over a filled one, so an existing
// dir steps aside under a name that Latest and clearStale know, until the new one is in place.
func replaceDir(tmp, dir string) error {
	root, base := filepath.Split(dir)
	old := filepath.Join(root, oldPrefix+base)
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	if err := syncDir(root); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// clearStale removes what a killed Save left in root. A checkpoint that was about to be replaced
// and lost its name gets it back.
func clearStale(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if base, ok := strings.CutPrefix(e.Name(), oldPrefix); ok {
			err := os.Rename(path, filepath.Join(root, base))
			if err == nil {
				continue
			} // else the new one is in place: the old one goes
		}
		if hasAnyPrefix(e.Name(), tmpPrefix, oldPrefix, "."+latestName) {
			if err := os.RemoveAll(path); err != nil {
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

// prune removes the checkpoints older than the newest keep, except the one called latest. Each
// loses its name first, so that an interrupted removal leaves no incomplete checkpoint.
func prune(root, latest string, keep int) error {
	if keep <= 0 {
		return nil
	}
	all, err := list(root)
	if err != nil {
		return err
	}
	for _, c := range all[min(keep, len(all)):] {
		if c.name == latest {
			continue
		}
		tmp := filepath.Join(root, tmpPrefix+c.name)
		if err := os.Rename(filepath.Join(root, c.name), tmp); err != nil {
			return err
		}
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
