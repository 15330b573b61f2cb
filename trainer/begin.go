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
func WithLock(l *run.Lock) Option { return func(t *Trainer) { t.writer.Lock = l } }

// begin makes a trainer that holds the lock of its run's directory; nothing else is done yet.
func begin(cfg config.Config, runDir string, opts []Option) (*Trainer, error) {
	t := &Trainer{cfg: cfg, typed: cfg.Data, writer: run.Writer{Dir: runDir, Files: file.OS}}
	t.saving.retryAfter, t.saving.pauses = retryAfter, lastPauses
	for _, o := range opts {
		o(t)
	}
	t.saving.writer = checkpoint.Writer{Files: t.writer.Files, RunDir: runDir, Keep: cfg.KeepCheckpoints}
	if t.writer.Lock == nil {
		lock, err := run.Acquire(runDir)
		if err != nil {
			return nil, err
		}
		t.writer.Lock = lock
	}
	if t.writer.Lock.Warning != "" {
		t.warn(t.writer.Lock.Warning)
		return t, nil
	}
	t.writer.RemoveStale()
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
func (t *Trainer) info() run.Info {
	info := run.NewInfo(t.cfg, t.fingerprint, t.train.Shape())
	info.Memory, info.Read = &t.memory.Memory, &t.read
	if t.typed != t.cfg.Data {
		info.DataAsTyped = t.typed
	}
	return info
}

// restoreRows writes the table of rows where it was lost.
func (t *Trainer) restoreRows() error {
	if has, err := run.HasRows(t.writer.Dir); err != nil || has {
		return err
	}
	return t.writer.StoreRows(t.train, t.held)
}
