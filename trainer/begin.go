package trainer

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
)

// WithLock hands the trainer the lock of its run's directory (run.Acquire), which it releases when
// it is closed, or fails to open. Without it the trainer takes the lock itself.
func WithLock(l *run.Lock) Option { return func(t *Trainer) { t.lock = l } }

// begin makes a trainer that holds the lock of its run's directory; nothing else is done yet.
func begin(cfg config.Config, runDir string, opts []Option) (*Trainer, error) {
	t := &Trainer{cfg: cfg, runDir: runDir, typed: cfg.Data, files: file.OS}
	t.saving.retryAfter, t.saving.pauses = retryAfter, lastPauses
	for _, o := range opts {
		o(t)
	}
	t.saving.writer = checkpoint.Writer{Files: t.files, RunDir: runDir, Keep: cfg.KeepCheckpoints}
	if t.lock == nil {
		lock, err := run.Acquire(runDir)
		if err != nil {
			return nil, err
		}
		t.lock = lock
	}
	if t.lock.Warning != "" {
		t.warn(t.lock.Warning)
		return t, nil
	}
	for _, dir := range []string{runDir, filepath.Join(runDir, samplesDir)} {
		file.RemoveStale(t.files, dir)
	}
	return t, nil
}

// keepPaths makes the paths of the configuration absolute, so that the run goes on from any folder.
func (t *Trainer) keepPaths() {
	if !slices.Contains(data.Embedded(), t.cfg.Data) {
		t.cfg.Data = t.absolute(t.cfg.Data)
	}
	if t.cfg.Labels != "" {
		t.cfg.Labels = t.absolute(t.cfg.Labels)
	}
	if t.cfg.CloudDir != "" {
		t.cfg.CloudDir = t.absolute(t.cfg.CloudDir)
	}
}

// absolute is the path from the root, unless a configuration file cannot hold that.
func (t *Trainer) absolute(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil || !config.IsPlainText(absolute) {
		t.warn(fmt.Sprintf("the absolute path of %s cannot be stored: the run goes on from this folder only", path))
		return path
	}
	return absolute
}

// info describes the run as of this session.
func (t *Trainer) info() RunInfo {
	info := NewRunInfo(t.cfg, t.fingerprint, t.train.Shape())
	info.Memory, info.Read = &t.memory, &t.read
	if t.typed != t.cfg.Data {
		info.DataAsTyped = t.typed
	}
	return info
}

// restoreRows writes the table of rows where it was lost.
func (t *Trainer) restoreRows() error {
	if has, err := run.HasRows(t.runDir); err != nil || has {
		return err
	}
	return run.WriteRows(t.files, t.runDir, t.train, t.held)
}
