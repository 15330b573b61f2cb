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
	oldPrefix  = ".old-" // complete, being replaced by one of the same step
)

// Latest returns the directory of a run's newest checkpoint, the first of List. If that one has a
// Problem, the error wraps it and names the newest whole checkpoint.
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

// LatestWhole returns the directory of the newest checkpoint without a Problem. If there is none,
// it returns the error of Latest.
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

// target returns the name of the checkpoint that latest or best refers to: that of a directory in
// root, or the name itself if it is a copy of a checkpoint. Of a link only the last element of the
// target counts, since the run may have been copied.
func target(root, name string, all []Found) string {
	link := filepath.Join(root, name)
	info, err := os.Lstat(link)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return copyOf(link, all)
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

// copyOf returns the name of the checkpoint that the directory latest or best is a copy of, or its
// own if that checkpoint is missing or damaged.
func copyOf(dir string, all []Found) string {
	if m, err := inspect(dir); err == nil {
		for _, c := range all {
			if c.Problem == nil && c.Meta.Step == m.Step && c.Meta.Saved == m.Saved {
				return filepath.Base(c.Dir)
			}
		}
	} else if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		return ""
	}
	return filepath.Base(dir)
}

// pointLatest makes latest refer to the checkpoint of that name. It replaces the old latest without
// losing a checkpoint.
func pointLatest(files file.System, root, name string) error {
	link := filepath.Join(root, latestName)
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		if err := moveLatestAside(files, root, link); err != nil {
			return err
		}
	}
	return point(files, root, latestName, name)
}

// withoutLinks is whether latest and best are files on every file system. On Windows, making a link
// is a privilege, and no name can replace that of a link to a directory.
var withoutLinks = runtime.GOOS == "windows"

// point makes latest or best refer to the checkpoint of that name, by a relative symbolic link or,
// on file systems without links, by a file with the name.
func point(files file.System, root, which, name string) error {
	if withoutLinks {
		return pointByFile(files, root, which, name)
	}
	link, tmp := filepath.Join(root, which), filepath.Join(root, "."+which)
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
	if !linksUnsupported(err) {
		return errors.Join(err, files.RemoveAll(tmp))
	}
	return pointByFile(files, root, which, name)
}

// pointByFile makes latest or best a file with the name of the checkpoint.
func pointByFile(files file.System, root, which, name string) error {
	path := filepath.Join(root, which)
	info, err := os.Lstat(path)
	if withoutLinks && err == nil && info.Mode()&fs.ModeSymlink != 0 { // of another system
		if err := files.RemoveAll(path); err != nil {
			return err
		}
	}
	return file.WriteBytes(files, path, []byte(name+"\n"))
}

// linksUnsupported reports whether an error may mean that a file system has no symbolic links.
func linksUnsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission)
}

// moveLatestAside removes or renames the directory latest, which is a copy of a checkpoint. If it
// is the only whole copy, it gets the name of its step. If it is not a whole checkpoint, it gets a
// new name, latest-1, latest-2, ...
func moveLatestAside(files file.System, root, latest string) error {
	all, err := listSteps(root)
	if err != nil {
		return err
	}
	m, problem := inspect(latest)
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
