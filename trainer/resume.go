package trainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Resume prepares a run to continue from its newest checkpoint, or from the one that From chooses.
// cfg must equal the stored configuration, except for the keys that may change
// (Config.CheckResume). A run without a checkpoint cannot be resumed; Restart begins it again. When
// ctx ends, Resume stops early with ctx's error. It locks runDir as New does.
func Resume(
	ctx context.Context, runDir string, cfg config.Config, opts ...Option,
) (*Trainer, error) {
	t, err := begin(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	if err := t.continued(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// continued goes on with a stored run.
func (t *Trainer) continued(ctx context.Context) error {
	if err := t.reopen(ctx); err != nil { // before anything is written
		return err
	}
	return errors.Join(t.open(t.logged()), t.rejoin(), t.restoreRows())
}

// reopen restores the state of a checkpoint.
func (t *Trainer) reopen(ctx context.Context) error {
	stored, err := t.openStored()
	if err == nil {
		err = run.CheckSaved(t.writer.Dir) // before the data are read, which may take long
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
	return errors.Join(t.restore(), ctx.Err())
}

// logged is the last step whose record belongs to the present state.
func (t *Trainer) logged() int {
	if t.next.batch == t.data.batches.PerEpoch() {
		return t.step - 1 // the record of this step's epoch is written after its report
	}
	return t.step
}

// openStored opens the run, whose configuration must be that of t except for the keys that may
// change.
func (t *Trainer) openStored() (*run.Run, error) {
	stored, err := run.Open(t.writer.Dir)
	if err != nil {
		return nil, err
	}
	t.cfg = method.Resolved(t.cfg, stored.Config, t.given)
	return stored, stored.Config.CheckResume(t.cfg)
}

// checkDataPath refuses data that are not where the run found them, unless the configuration names
// another place.
func (t *Trainer) checkDataPath(stored *run.Run) error {
	if t.cfg.Data != stored.Config.Data {
		return nil
	}
	return stored.CheckDataPath()
}

// rejoin marks the run as unfinished, and warns of changes that make its bits differ from those of
// an uninterrupted run. If run.json was lost, it writes a new one.
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

// loaded is a checkpoint that was read.
type loaded struct {
	meta   checkpoint.Meta
	dir    string
	newest bool // of the run
}

// restore reads the checkpoint that the run resumes from.
func (t *Trainer) restore() error { return t.restoreWith(t.loadFrom) }

// restoreFrom reads the checkpoint in dir. It must be saved again to become the newest.
func (t *Trainer) restoreFrom(dir string) error {
	return t.restoreWith(func(into []checkpoint.Tensor) (loaded, error) {
		meta, err := checkpoint.Load(dir, into)
		return loaded{meta: meta, dir: dir}, err
	})
}

// restoreWith makes the checkpoint that load reads the state of the run. During a session, the time
// and the evaluations spent so far stay counted.
func (t *Trainer) restoreWith(load func(into []checkpoint.Tensor) (loaded, error)) error {
	sums := make([]float64, len(t.sums.Values()))
	into := t.tensors(sums)
	from, err := load(into)
	if err != nil {
		from, err = t.loadOlder(load, into, err)
	}
	if err != nil {
		return err
	}
	meta := from.meta
	if err := t.checkMeta(meta); err != nil {
		return fmt.Errorf("%s: %w", from.dir, err)
	}
	if err := t.restoreTeam(from.dir); err != nil {
		return fmt.Errorf("%s: %w", from.dir, err)
	}
	for i, v := range t.sums.Values() {
		*v = sums[i]
	}
	l := meta.Levels
	t.sums.Levels = diffusion.Levels{Draws: l[0], Loss: l[1], Unlearned: l[2]}
	t.next = place{meta.Epoch, meta.Batch, meta.Repeat}
	t.step = meta.Step
	if t.spent.start.IsZero() {
		t.spent.before, t.spent.stepSeconds = meta.Seconds, meta.StepSeconds
		t.spent.evaluations, t.saving.stalled = meta.Evaluations, meta.Stalled
	}
	t.saving.stored, t.saving.storedStep, t.saving.storedDir = nil, meta.Step, from.dir
	if at := t.next; from.newest {
		t.saving.stored = &at
	}
	t.method.Restored()
	t.slow(meta.Slowed)
	return nil
}

// checkMeta refuses a checkpoint of another run, of other data, or at an impossible place.
func (t *Trainer) checkMeta(m checkpoint.Meta) error {
	if m.Fingerprint != t.data.fingerprint {
		return fmt.Errorf("belongs to other data than %s (fingerprint %s, expected %s)",
			t.cfg.Data, m.Fingerprint, t.data.fingerprint)
	}
	began := method.Default()
	if _, err := began.Parse("the checkpoint's configuration", []byte(m.Config)); err != nil {
		return err
	}
	began = began.On(t.cfg.As, t.cfg.Likelihood) // which older checkpoints leave to the data
	if err := began.CheckResume(t.cfg); err != nil {
		return fmt.Errorf("the checkpoint has another configuration:\n%w", err)
	}
	return t.checkPlace(m, began.Epochs)
}

// checkPlace refuses a checkpoint at an impossible place, and warns if the number of epochs
// changed. epochs is the number at the time of the checkpoint.
func (t *Trainer) checkPlace(m checkpoint.Meta, epochs int) error {
	batches, repeats := t.data.batches.PerEpoch(), t.cfg.BatchRepeats
	atEnd := m.Batch == batches && m.Repeat == 0 // of an epoch, before its report
	if m.Batch >= batches && !atEnd || m.Repeat >= repeats ||
		m.Step != (m.Epoch*batches+m.Batch)*repeats+m.Repeat {
		return fmt.Errorf("step %d, epoch %d, batch %d, repeat %d: "+
			"expected a place in epochs of %d batches with %d repeats each",
			m.Step, m.Epoch, m.Batch, m.Repeat, batches, repeats)
	}
	perEpoch := batches * repeats
	if m.Step > t.total() {
		return fmt.Errorf("epochs = %d: expected %d or more, the run is that far",
			t.cfg.Epochs, (m.Step+perEpoch-1)/perEpoch)
	}
	if t.cfg.Epochs != epochs {
		percent := func(steps int) float64 { return 100 * float64(m.Step) / float64(steps) }
		t.warn(fmt.Sprintf("epochs = %d, was %d: the schedules of step size and learning rate "+
			"go on from %.0f %% of the new length, was %.0f %%",
			t.cfg.Epochs, epochs, percent(t.total()), percent(epochs*perEpoch)))
	}
	return nil
}
