package run

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// CheckRemovable refuses what Remove would refuse: a directory that is no run, a symbolic link to
// one, and a run that a process is writing (*LockedError).
func CheckRemovable(dir string) error {
	if info, err := os.Lstat(dir); err != nil {
		return fmt.Errorf("run: %w", err)
	} else if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: expected the directory of the run itself", dir)
	}
	if !isRun(dir) {
		return fmt.Errorf("%s is no run: expected a directory with two of %s, %s and %s", dir,
			configFile, infoFile, checkpointsDir)
	}
	if holder, running := Running(dir); running {
		return &LockedError{Dir: dir, Holder: holder}
	}
	return nil
}

// Remove removes the run in dir with all that its directory holds. What makes it a run goes last,
// so that the rest of an interrupted removal can still be removed.
func Remove(dir string) error {
	if err := CheckRemovable(dir); err != nil {
		return err
	}
	lock, err := Acquire(dir)
	if err != nil {
		return err
	}
	defer lock.Release()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	last := []string{configFile, infoFile, lockFile}
	for _, e := range entries {
		if !slices.Contains(last, e.Name()) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("run: %w", err)
			}
		}
	}
	for _, name := range last[:2] {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("run: %w", err)
		}
	}
	if err := lock.Release(); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// Size is the number of bytes of the files in dir and below it.
func Size(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("run: %w", err)
	}
	return bytes, nil
}
