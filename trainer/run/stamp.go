package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stamped are the files and directories of a run that change when there is something new to show.
var stamped = [...]string{
	configFile, infoFile, metricsFile, notesFile, lockFile, checkpointsDir, samplesDir,
}

// Stamp is the sizes and times of a run's files. Two stamps of a directory differ if there may be
// something new in it; whether its lock is held is not part of them.
type Stamp [len(stamped)]struct{ Bytes, Changed int64 }

// StampOf returns the stamp of the run in dir. It reads no file.
func StampOf(dir string) (s Stamp) {
	for i, name := range stamped {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			s[i].Bytes, s[i].Changed = info.Size(), info.ModTime().UnixNano()
		}
	}
	return s
}

// Contained returns an error if a file of the run in dir is a symbolic link that leads out of root,
// which must be a path without symbolic links.
func Contained(root, dir string) error {
	for _, part := range []string{"", checkpointsDir, samplesDir} {
		entries, err := os.ReadDir(filepath.Join(dir, part))
		if errors.Is(err, fs.ErrNotExist) && part != "" {
			continue
		} else if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		for _, entry := range entries {
			path := filepath.Join(dir, part, entry.Name())
			if entry.Type()&fs.ModeSymlink == 0 {
				continue
			}
			at, err := filepath.EvalSymlinks(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it leads nowhere
			} else if err != nil {
				return fmt.Errorf("run: %w", err)
			}
			if below, err := filepath.Rel(root, at); err != nil || below == ".." ||
				strings.HasPrefix(below, ".."+string(filepath.Separator)) {
				return fmt.Errorf("run: %s is a symbolic link that leads out of %s: copy what it "+
					"leads to into the run", path, root)
			}
		}
	}
	return nil
}
