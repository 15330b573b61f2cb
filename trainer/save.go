package trainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// saving saves the state of a run. Training waits only while the state is handed to the system;
// syncing, renaming and pruning run beside the next steps. A save that fails does not end the run:
// it is tried again. Only at the end of the run the state must have been saved.
type saving struct {
	writer checkpoint.Writer
	under  chan saved // the save under way; nil without one
	best   *written   // of the best number so far, to be saved with the next save; nil: none

	// The whole checkpoint that the state comes from.
	stored     *place // its place if it is the newest on the disk, else nil
	storedStep int    // 0: there is none
	storedDir  string // empty: there is none

	began      time.Time       // of the last save, or the session: checkpoint_every counts from it
	retry      time.Time       // the time of the next attempt; zero unless the last save failed
	retryAfter time.Duration   // from a failure to the next attempt
	pauses     []time.Duration // between attempts at the end of a run
	failure    error           // of the last save
	stalled    float64         // seconds that training waited, in all sessions

	checkpoints, log, pictures trouble
}

// saved is the result of a save. If both dir and err are set, the checkpoint is good, and older
// ones could not be removed.
type saved struct {
	at       place
	dir      string
	step     int
	err, log error
}

const retryAfter = time.Minute

var lastPauses = []time.Duration{time.Second, 4 * time.Second}

func (t *Trainer) stall() run.Stall {
	s := run.Stall{Seconds: t.saving.stalled}
	if total := t.spent.seconds(); total > 0 {
		s.Share = s.Seconds / total
	}
	return s
}

// saveDue reports whether a checkpoint is due at the end of the present epoch.
func (t *Trainer) saveDue() bool {
	if every := t.cfg.CheckpointEvery; every.Time > 0 {
		return t.next.epoch+1 == t.cfg.Epochs || time.Since(t.saving.began) >= every.Time
	}
	return t.due(t.cfg.CheckpointEvery.Epochs)
}

// betweenSteps looks whether the save under way is done, and begins one that is due by the clock or
// to be tried again. On storage that needs longer than the time between saves, the next save waits
// for the one under way; training waits for neither.
func (t *Trainer) betweenSteps() error {
	if t.team != nil && t.team.stored {
		t.gatherShards()
	}
	select {
	case s := <-t.saving.under:
		t.noteSave(s)
	default:
	}
	if t.saving.under != nil {
		return nil
	}
	every := t.cfg.CheckpointEvery.Time
	if every > 0 && time.Since(t.saving.began) >= every || !t.saving.retry.IsZero() {
		return t.save()
	}
	return nil
}

// save begins to save the state between two steps. It returns an error only if the state is lost or
// no longer finite: failures of the file system are warned of, and the save is tried again.
func (t *Trainer) save() error {
	if time.Now().Before(t.saving.retry) {
		return nil
	}
	return t.beginSave()
}

func (t *Trainer) beginSave() error {
	began := time.Now()
	defer func() { t.saving.stalled += time.Since(began).Seconds() }()
	t.awaitSave()
	t.saveBest()
	if t.saving.under != nil || t.isStored() {
		return nil
	}
	t.saving.began = began
	w, err := t.write()
	if w != nil {
		t.commit(w)
	}
	return err
}

// written is a checkpoint whose state is written, but neither durable nor visible yet.
type written struct {
	pending *checkpoint.Pending
	at      place
	step    int
}

// write writes the present state. It returns nil if the file system refuses.
func (t *Trainer) write() (*written, error) {
	meta, tensors, err := t.snapshot()
	if err != nil {
		return nil, err
	}
	t.saving.writer.Shards = t.shards(tensors)
	p, err := t.saving.writer.Begin(meta, tensors)
	switch {
	case errors.Is(err, memory.ErrMapping): // the state itself is lost
		return nil, err
	case file.Failed(err):
		t.saveFailed(err)
		return nil, nil
	case err != nil:
		return nil, err
	}
	if at := t.early.at; at != nil && *at == t.next {
		p.MarkBest()
	}
	return &written{p, t.next, meta.Step}, nil
}

// commit makes a checkpoint durable, beside the next steps.
func (t *Trainer) commit(w *written) {
	done := make(chan saved, 1)
	t.saving.under = done
	t.storeShards()
	s := saved{at: w.at, step: w.step}
	go func() {
		s.log = t.log.Sync() // first, so that a checkpoint is never newer than its records
		s.dir, s.err = w.pending.Commit()
		done <- s
	}()
}

func (t *Trainer) isStored() bool { return t.saving.stored != nil && *t.saving.stored == t.next }

// awaitSave waits for the save under way.
func (t *Trainer) awaitSave() {
	if t.saving.under != nil {
		t.gatherShards()
		t.noteSave(<-t.saving.under)
	}
}

// noteSave notes the result of a save.
func (t *Trainer) noteSave(s saved) {
	t.saving.under = nil
	t.noteLog(s.log)
	if s.dir == "" {
		t.saveFailed(s.err)
		return
	}
	t.saving.stored, t.saving.storedStep, t.saving.storedDir = &s.at, s.step, s.dir
	t.saving.retry, t.saving.failure = time.Time{}, nil
	t.recovered(&t.saving.checkpoints, "checkpoints are saved again: "+filepath.Base(s.dir))
	_ = t.storeNotes() // the end of the run tries again
	for _, h := range t.hooks {
		if h.OnCheckpoint != nil {
			h.OnCheckpoint(s.step, s.dir)
		}
	}
	if s.err != nil {
		t.warn(s.err.Error())
	}
}

func (t *Trainer) saveFailed(err error) {
	t.saving.failure = err
	t.saving.retry = time.Now().Add(t.saving.retryAfter)
	t.inTrouble(&t.saving.checkpoints, fmt.Sprintf("%v; training goes on, %s; trying again in %v",
		err, t.newestText(), t.saving.retryAfter))
}

// newestGone reports whether the newest checkpoint was removed, perhaps with the run's directory.
func (t *Trainer) newestGone() bool {
	_, err := os.Lstat(t.saving.storedDir)
	return errors.Is(err, fs.ErrNotExist)
}

// newestText says which checkpoint is the newest.
func (t *Trainer) newestText() string {
	switch {
	case t.saving.storedDir == "":
		return "there is no checkpoint yet"
	case t.newestGone():
		return fmt.Sprintf("the newest checkpoint, %s, was removed", t.saving.storedDir)
	}
	return fmt.Sprintf("the newest checkpoint is %s, %d steps ago",
		filepath.Base(t.saving.storedDir), t.step-t.saving.storedStep)
}

// lostSteps says which steps are lost if the session ends here.
func (t *Trainer) lostSteps() string {
	switch {
	case t.saving.storedDir == "":
		return fmt.Sprintf("all %d steps are lost", t.step)
	case t.newestGone():
		return fmt.Sprintf("the newest checkpoint, %s, was removed: the steps since an older one, "+
			"if there is any, are lost", t.saving.storedDir)
	}
	return fmt.Sprintf("%d steps are lost: the run goes on from %s",
		t.step-t.saving.storedStep, filepath.Base(t.saving.storedDir))
}

// saveNow saves the state and waits until it is durable, trying again after each of the pauses.
func (t *Trainer) saveNow(ctx context.Context, pauses ...time.Duration) error {
	return persist(ctx, pauses, func() error {
		if err := t.beginSave(); err != nil {
			return err
		}
		began := time.Now()
		t.awaitSave()
		t.saving.stalled += time.Since(began).Seconds()
		if !t.isStored() {
			return t.saving.failure
		}
		return nil
	})
}

// persist calls do until the file system does not refuse, with the given pauses between the calls.
func persist(ctx context.Context, pauses []time.Duration, do func() error) error {
	for {
		err := do()
		if !file.Failed(err) || len(pauses) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pauses[0]):
			pauses = pauses[1:]
		}
	}
}

// interrupted saves a checkpoint at the present place.
func (t *Trainer) interrupted() error {
	err := t.saveNow(context.Background(), 0)
	if err != nil {
		return fmt.Errorf("interrupted, and no checkpoint could be saved: %w; %s", err,
			t.lostSteps())
	}
	if err := persist(context.Background(), []time.Duration{0}, t.log.Sync); err != nil {
		return fmt.Errorf("interrupted after saving a checkpoint, but %s: %w", t.unlogged(), err)
	}
	return ErrInterrupted
}

// storeEnd saves the final state and the records.
func (t *Trainer) storeEnd(ctx context.Context) error {
	if err := t.saveNow(ctx, t.saving.pauses...); err != nil {
		return fmt.Errorf("the last step is done, but its state could not be saved: %w; %s",
			err, t.lostSteps())
	}
	if err := persist(ctx, t.saving.pauses, t.log.Sync); err != nil {
		return fmt.Errorf("the final state is saved, but %s: %w", t.unlogged(), err)
	}
	return nil
}

// snapshot is the state between two steps, unless it is no longer finite.
func (t *Trainer) snapshot() (checkpoint.Meta, []checkpoint.Tensor, error) {
	text, err := t.cfg.TOML()
	if err != nil {
		return checkpoint.Meta{}, nil, err
	}
	var sums []float64
	for _, v := range t.sums.Values() {
		sums = append(sums, *v)
	}
	meta := checkpoint.Meta{
		Method: string(t.cfg.Method),
		Step:   t.step, Epoch: t.next.epoch, Batch: t.next.batch, Repeat: t.next.repeat,
		Seconds: t.spent.seconds(), StepSeconds: t.spent.stepSeconds, Stalled: t.saving.stalled,
		Evaluations: t.spent.evaluations,
		Seed:        t.cfg.Seed, Data: t.cfg.Data, Fingerprint: t.data.fingerprint,
		Version: run.Version(), Config: string(text), Slowed: t.recovery.slowed,
		Levels: [3][diffusion.LevelBins]float64{
			t.sums.Levels.Draws, t.sums.Levels.Loss, t.sums.Levels.Unlearned,
		},
	}
	if err := t.method.Err(); err != nil {
		return meta, nil, fmt.Errorf("no checkpoint at step %d: %w", t.step, err)
	}
	tensors := t.tensors(sums)
	for _, x := range tensors {
		finite := false
		if err := memory.Catch(func() { finite = kernel.AllFinite(x.F32) }); err != nil {
			return meta, nil, fmt.Errorf("no checkpoint at step %d: %w", t.step, err)
		}
		if !finite {
			return meta, nil, fmt.Errorf("%w at step %d: %s has values that are not finite; "+
				"the last checkpoint stays", ErrDiverged, t.step, x.Name)
		}
	}
	return meta, tensors, nil
}

// tensors are the method's state and the trainer's own, that of the held-out rows last.
func (t *Trainer) tensors(sums []float64) []checkpoint.Tensor {
	own := checkpoint.Tensor{Name: "epoch/sums", Shape: []int{len(sums)}, F64: sums}
	return append(append(t.method.Tensors(), own), t.heldOut.tensors()...)
}
