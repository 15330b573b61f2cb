package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/run"
)

// Restart prepares a run to begin again, from its first step, in the directory of one that ended
// before its first checkpoint. cfg may differ from the stored configuration as for Resume. The
// records of the earlier attempt are renamed to metrics.1.jsonl, or the next free number. Locks and
// ctx are as for New.
func Restart(
	ctx context.Context, runDir string, cfg config.Config, opts ...Option,
) (*Trainer, error) {
	t, err := begin(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	err = t.checkUnsaved()
	if err == nil {
		err = t.prepare(ctx, nil)
	}
	if err == nil {
		err = t.warnOfOtherData(ctx)
	}
	if err == nil {
		err = t.writer.SetRecordsAside()
	}
	if err == nil {
		err = t.store()
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// checkUnsaved refuses a run that has a checkpoint to resume from, and one that has ended.
func (t *Trainer) checkUnsaved() error {
	state, err := run.StateOf(t.writer.Dir)
	if err != nil {
		return err
	}
	if state != run.Unsaved {
		return fmt.Errorf("%s: %v; expected a run without a checkpoint", t.writer.Dir, state)
	}
	stored, err := t.openStored()
	if err != nil {
		return err
	}
	return t.checkDataPath(stored)
}

// warnOfOtherData warns if the data have changed since the run was begun. That is not an error,
// since the run keeps nothing of what it learned from them.
func (t *Trainer) warnOfOtherData(ctx context.Context) error {
	was, err := run.ReadInfo(t.writer.Dir)
	if err != nil {
		return nil
	}
	now, err := data.FingerprintLike(ctx, t.data.all, was.Fingerprint)
	if err == nil && was.Fingerprint != now {
		t.warn(fmt.Sprintf("the data changed since the run was begun: %s %s",
			t.data.given, was.Difference(t.data.read, now)))
	}
	return err
}
