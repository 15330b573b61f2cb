package trainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Resume prepares a run to go on from its newest checkpoint; cfg must be the configuration
// stored with it but for the keys that may change (Config.CheckResume). A run interrupted
// before its first checkpoint cannot be resumed (Restart begins it anew). It stops early, with
// ctx's error, when ctx ends, and locks runDir as New does.
func Resume(ctx context.Context, runDir string, cfg config.Config, opts ...Option) (*Trainer, error) {
	t, err := begin(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	if err := t.continued(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// logged is the step up to which records hold in the present state.
func (t *Trainer) logged() int {
	if t.next.batch == t.data.batches.PerEpoch() {
		return t.step - 1 // the record of this step's epoch is yet to come, even if it was written once
	}
	return t.step
}

// continued brings t to where the newest checkpoint was saved.
func (t *Trainer) continued(ctx context.Context) error {
	stored, err := t.openStored()
	if err == nil {
		err = run.CheckSaved(t.writer.Dir) // before the data are read for nothing
	}
	if err == nil {
		err = t.checkDataPath(stored)
	}
	if err != nil {
		return err
	}
	if err := t.prepare(ctx, stored); err != nil {
		return err
	}
	if err := errors.Join(t.restore(), ctx.Err()); err != nil { // before anything is written
		return err
	}
	return errors.Join(t.open(t.logged()), t.rejoin(), t.restoreRows())
}

// openStored opens the run, which must have the configuration that it is to be continued with, but
// for the keys that may change.
func (t *Trainer) openStored() (*run.Run, error) {
	stored, err := run.Open(t.writer.Dir)
	if err != nil {
		return nil, err
	}
	return stored, stored.Config.CheckResume(t.cfg)
}

// checkDataPath refuses data that are to be where the run has them, and are not.
func (t *Trainer) checkDataPath(stored *run.Run) error {
	if t.cfg.Data != stored.Config.Data {
		return nil
	}
	return stored.CheckDataPath()
}

// rejoin marks the run as going on, and warns of what will give other bits than before. A run
// whose run.json is lost gets a new one.
func (t *Trainer) rejoin() error {
	now := t.info()
	before, err := run.ReadInfo(t.writer.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		t.warn("run.json was lost: writing a new one")
		return t.writer.StoreInfo(now)
	}
	if err != nil {
		return err
	}
	for _, difference := range before.Differs(now) {
		t.warn("the run goes on with other bits than it would have had: " + difference)
	}
	return t.writer.Amend(func(info *run.Info) {
		info.SetFinished(nil)
		info.Memory, info.Read = now.Memory, now.Read
		if info.Data != now.Data { // they have moved, or an earlier version stored them as typed
			info.Data, info.DataAsTyped = now.Data, now.DataAsTyped
		}
	})
}

// restore reads the checkpoint that the run goes on from.
func (t *Trainer) restore() error {
	return t.restoreWith(t.loadFrom)
}

// restoreFrom reads the checkpoint in dir, which is then to be saved again to become the newest.
func (t *Trainer) restoreFrom(dir string) error {
	return t.restoreWith(func(into []checkpoint.Tensor) (checkpoint.Meta, string, bool, error) {
		meta, err := checkpoint.Load(dir, into)
		return meta, dir, false, err
	})
}

// restoreWith is restore with what load reads, of which it says whether it is the newest checkpoint.
// In mid-run, what the run has cost so far stays counted.
func (t *Trainer) restoreWith(
	load func(into []checkpoint.Tensor) (meta checkpoint.Meta, dir string, newest bool, err error),
) error {
	sums := make([]float64, len(t.sums.Values()))
	meta, dir, newest, err := load(t.tensors(sums))
	if err != nil {
		return err
	}
	if err := t.checkMeta(meta); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	for i, v := range t.sums.Values() {
		*v = sums[i]
	}
	t.next = place{meta.Epoch, meta.Batch, meta.Repeat}
	t.step = meta.Step
	if t.spent.start.IsZero() {
		t.spent.before, t.spent.stepSeconds, t.spent.evaluations = meta.Seconds, meta.StepSeconds, meta.Evaluations
		t.saving.stalled = meta.Stalled
	}
	t.saving.stored, t.saving.storedStep, t.saving.storedDir = nil, meta.Step, dir
	if at := t.next; newest {
		t.saving.stored = &at
	}
	t.method.Restored()
	t.slow(meta.Slowed)
	return nil
}

// checkMeta refuses a checkpoint of another run, of other data, or at an impossible place, and
// warns when a longer run bends its schedules.
func (t *Trainer) checkMeta(m checkpoint.Meta) error {
	if m.Fingerprint != t.data.fingerprint {
		return fmt.Errorf("belongs to other images than %s (fingerprint %s, expected %s)",
			t.cfg.Data, m.Fingerprint, t.data.fingerprint)
	}
	began := method.Default()
	if _, err := began.Parse("the checkpoint's configuration", []byte(m.Config)); err != nil {
		return err
	}
	if err := began.CheckResume(t.cfg); err != nil {
		return fmt.Errorf("the checkpoint has another configuration:\n%w", err)
	}
	per, repeats := t.data.batches.PerEpoch(), t.cfg.BatchRepeats
	atEnd := m.Batch == per && m.Repeat == 0 // of an epoch, before its report
	if m.Batch >= per && !atEnd || m.Repeat >= repeats || m.Step != (m.Epoch*per+m.Batch)*repeats+m.Repeat {
		return fmt.Errorf("step %d, epoch %d, batch %d, repeat %d: expected a place in epochs of %d batches with %d repeats each",
			m.Step, m.Epoch, m.Batch, m.Repeat, per, repeats)
	}
	if last := m.Step; last > t.total() {
		return fmt.Errorf("epochs = %d: expected %d or more, the run is that far", t.cfg.Epochs, (last+per*repeats-1)/(per*repeats))
	}
	if t.cfg.Epochs != began.Epochs {
		t.warn(fmt.Sprintf("epochs = %d, was %d: the schedules of step size and learning rate go on from %.0f %% of the new length, was %.0f %%",
			t.cfg.Epochs, began.Epochs, 100*float64(m.Step)/float64(t.total()), 100*float64(m.Step)/float64(began.Epochs*per*repeats)))
	}
	return nil
}
