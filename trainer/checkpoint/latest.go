package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

const (
	rootName   = "checkpoints"
	latestName = "latest"
	tmpPrefix  = ".tmp-" // being written or removed
	oldPrefix  = ".old-" // whole, stepped aside for one of the same step
)

// Latest returns the directory of a run's newest checkpoint, the first of List. If that one is
// damaged as far as List sees, the error says so (ErrDamaged) and names the newest whole one.
func Latest(runDir string) (dir string, err error) {
	all, err := List(runDir)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		root := filepath.Join(runDir, rootName)
		return "", fmt.Errorf(
			"checkpoint: none found: looked for the link %s and for %s with %s and %s",
			filepath.Join(root, latestName), filepath.Join(root, "step-*"), stateName, metaName)
	}
	if err := all[0].Problem; err != nil {
		return "", withAlternative(all[0].Dir, err)
	}
	return all[0].Dir, nil
}

// LatestWhole returns the directory of the newest checkpoint without a Problem.
func LatestWhole(runDir string) (dir string, err error) {
	all, err := List(runDir)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if c.Problem == nil {
			return c.Dir, nil
		}
	}
	return Latest(runDir)
}

// named returns what latest, whatever it has become, says is the newest checkpoint: the name of a
// directory in root, or latest itself where it is a copy of one. A link leads to what has its
// target's name here, not to the run it was copied from.
func named(root string, all []Found) string {
	link := filepath.Join(root, latestName)
	info, err := os.Lstat(link)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return copied(link, all)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(link)
		if err != nil {
			return ""
		}
		return filepath.Base(filepath.FromSlash(target))
	case info.Mode().IsRegular() && info.Size() < 256:
		text, err := os.ReadFile(link)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
	return ""
}

// copied returns the name of the checkpoint that the directory latest is a copy of, or latest where
// that checkpoint is not there or not whole.
func copied(latest string, all []Found) string {
	if m, err := look(latest); err == nil {
		for _, c := range all {
			if c.Problem == nil && c.Meta.Step == m.Step && c.Meta.Saved == m.Saved {
				return filepath.Base(c.Dir)
			}
		}
	} else if entries, err := os.ReadDir(latest); err == nil && len(entries) == 0 {
		return ""
	}
	return latestName
}

// pointLatest makes latest lead to the checkpoint of that name: a relative symbolic link or, where
// there are no such links, a file with the name in it. What latest was before is replaced, without
// losing a checkpoint.
func pointLatest(files file.System, root, name string) error {
	link, tmp := filepath.Join(root, latestName), filepath.Join(root, "."+latestName)
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		if err := retire(files, root, link); err != nil {
			return err
		}
	}
	if err := files.RemoveAll(tmp); err != nil {
		return err
	}
	err := files.Symlink(name, tmp)
	if err == nil {
		err = files.Rename(tmp, link)
	}
	if err == nil {
		return files.SyncDir(root)
	}
	if !noLinks(err) {
		return errors.Join(err, files.RemoveAll(tmp))
	}
	return file.WriteBytes(files, link, []byte(name+"\n"))
}

// noLinks tells whether an error may say that a file system has no symbolic links.
func noLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) ||
		runtime.GOOS == "windows"
}

// retire takes the directory latest, a copy of what the link led to, out of the way. A checkpoint
// that is only there gets the name of its step; what is not a checkpoint gets a name beside it.
func retire(files file.System, root, latest string) error {
	all, err := listSteps(root)
	if err != nil {
		return err
	}
	m, problem := look(latest)
	if problem == nil {
		step := stepName(m.Step)
		if slices.ContainsFunc(all, func(c Found) bool {
			return filepath.Base(c.Dir) == step && c.Problem == nil
		}) {
			tmp := filepath.Join(root, tmpPrefix+latestName)
			return errors.Join(files.Rename(latest, tmp), files.RemoveAll(tmp))
		}
		return replaceDir(files, latest, filepath.Join(root, step))
	}
	for i := 1; ; i++ {
		aside := fmt.Sprintf("%s-%d", latest, i)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return files.Rename(latest, aside)
		}
	}
}
