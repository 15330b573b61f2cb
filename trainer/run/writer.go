package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
)

// Writer writes the directory of one run. Only the process that holds the directory's lock may
// write it.
type Writer struct {
	Dir   string // which must exist
	Files file.System
	Lock  *Lock // of Dir; nil if the caller holds it
}

// RemoveStale removes the temporary files that a killed process has left.
func (w *Writer) RemoveStale() {
	file.RemoveStale(w.Files, w.Dir)
	file.RemoveStale(w.Files, filepath.Join(w.Dir, samplesDir))
}

// StoreConfig writes config.toml, which Open reads. Every key of c must have its final value.
func (w *Writer) StoreConfig(c config.Config) error {
	text, err := c.TOML()
	if err != nil {
		return err
	}
	if err := file.WriteBytes(w.Files, filepath.Join(w.Dir, configFile), text); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// StoreInfo writes run.json, which ReadInfo reads.
func (w *Writer) StoreInfo(info Info) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", infoFile, err)
	}
	path := filepath.Join(w.Dir, infoFile)
	if err := file.WriteBytes(w.Files, path, append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", infoFile, err)
	}
	return nil
}

// Amend changes run.json: it reads the Info, lets change modify it, and writes it again.
func (w *Writer) Amend(change func(*Info)) error {
	info, err := ReadInfo(w.Dir)
	if err != nil {
		return err
	}
	change(&info)
	return w.StoreInfo(info)
}

// OpenLog opens the records of the epochs, without those beyond the given step.
func (w *Writer) OpenLog(step int) (*record.Log, error) {
	return record.OpenLog(w.Files, filepath.Join(w.Dir, metricsFile), step)
}

// SetRecordsAside renames the records of a run that starts again, if there are any, to
// metrics.1.jsonl or the next free number.
func (w *Writer) SetRecordsAside() error {
	path := filepath.Join(w.Dir, metricsFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	for n := 1; ; n++ {
		aside := filepath.Join(w.Dir, fmt.Sprintf("metrics.%d.jsonl", n))
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			if err := w.Files.Rename(path, aside); err != nil {
				return fmt.Errorf("metrics: %w", err)
			}
			return nil
		} else if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
}

// MakeSamplesDir returns the directory of the run's pictures, and creates it if it does not exist.
func (w *Writer) MakeSamplesDir() (string, error) {
	dir := filepath.Join(w.Dir, samplesDir)
	if err := w.Files.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return dir, err
	}
	return dir, nil
}
