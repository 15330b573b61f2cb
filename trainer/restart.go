package trainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
)

// Restart prepares a run from its first step in the directory of one that ended before its first
// checkpoint; cfg may differ from the stored configuration as for Resume. Records of that run's
// metrics are put aside, as metrics.1.jsonl or the next free number. Locks and ctx are as for New.
func Restart(ctx context.Context, runDir string, cfg config.Config, opts ...Option) (*Trainer, error) {
	t, err := begin(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	err = t.checkUnsaved()
	if err == nil {
		err = t.prepare(ctx, false)
	}
	if err == nil {
		t.warnOfOtherData()
		err = setAside(runDir)
	}
	if err == nil {
		err = t.store()
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// checkUnsaved refuses a run that has more than a configuration to go on from.
func (t *Trainer) checkUnsaved() error {
	state, err := StateOf(t.runDir)
	if err != nil {
		return err
	}
	if state != Unsaved {
		return fmt.Errorf("%s: %v; expected a run without a checkpoint", t.runDir, state)
	}
	stored, err := LoadRun(t.runDir)
	if err == nil {
		err = stored.CheckResume(t.cfg)
	}
	if err == nil && t.cfg.Data == stored.Data {
		err = CheckDataPath(t.runDir, stored)
	}
	return err
}

// warnOfOtherData tells that the data changed since the run was begun, which is no fault yet.
func (t *Trainer) warnOfOtherData() {
	was, err := LoadRunInfo(t.runDir)
	if err == nil && was.Fingerprint != t.fingerprint {
		t.warn(
			fmt.Sprintf(
				"the data changed since the run was begun: %s %s",
				t.typed,
				was.difference(t.read, t.fingerprint),
			),
		)
	}
}

// setAside renames the metrics of a run that starts again, if there are any.
func setAside(runDir string) error {
	path := filepath.Join(runDir, metricsFile)
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	} else if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	for n := 1; ; n++ {
		aside := filepath.Join(runDir, fmt.Sprintf("metrics.%d.jsonl", n))
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			if err := os.Rename(path, aside); err != nil {
				return fmt.Errorf("metrics: %w", err)
			}
			return nil
		} else if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
}
