package trainer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// ErrDiverged is wrapped by the error of a run that diverged: its numbers are no longer finite, or
// too many of its particles blew up.
var ErrDiverged = method.ErrDiverged

// recovery is what the run has done about divergences.
type recovery struct {
	slowed  checkpoint.Slowed
	unnoted []run.Divergence // not written to run.json yet
}

// A divergence within soon steps of a checkpoint makes that checkpoint suspect: it may hold the
// cause. The run still goes back to it sameState times, but not a second time with its last retry.
const soon, sameState = 10, 2

// factor is what step size and learning rate are multiplied by.
func (t *Trainer) factor() float64 { return cmp.Or(t.recovery.slowed.Factor, 1) }

// slowedTo is the factor for a record: nil if it is 1.
func (t *Trainer) slowedTo() *record.Number {
	if f := record.Number(t.factor()); f != 1 {
		return &f
	}
	return nil
}

// retry goes back to a good state after a divergence, and makes all further steps smaller. If that
// cannot help, or no retries are left, it returns an error that wraps the cause.
func (t *Trainer) retry(cause error) error {
	t.awaitSave()
	t.dropBest()
	d := t.diagnosis(cause)
	good, err := t.goodState(d)
	if err != nil {
		return t.giveUp(d, cause, err.Error())
	}
	if t.recovery.slowed.Retries >= t.cfg.DivergenceRetries {
		return t.giveUp(d, cause, t.tried())
	}
	slowed := t.recovery.slowed
	if err := t.goBack(good); err != nil {
		return t.giveUp(d, cause, fmt.Sprintf("going back failed: %v", err))
	}
	if slowed.Retries == 0 || slowed.From != t.step {
		slowed.Times = 0
	}
	slowed.From, slowed.Times, slowed.Retries = t.step, slowed.Times+1, slowed.Retries+1
	slowed.Factor = cmp.Or(slowed.Factor, 1) * t.cfg.DivergenceFactor
	t.slow(slowed)
	at := t.step
	d.BackTo, d.Factor, d.Retry = &at, t.factor(), slowed.Retries
	t.warn(fmt.Sprintf("%v. The run goes back to step %s, with step size and learning rate %.3g "+
		"times those configured (retry %d of %d)",
		d.What, humanize.Comma(int64(t.step)), t.factor(), d.Retry, t.cfg.DivergenceRetries))
	return t.settle(d)
}

// slow sets the state of the retries, and with it the factor of the step size.
func (t *Trainer) slow(s checkpoint.Slowed) {
	t.recovery.slowed = s
	t.method.Slow(t.factor())
}

// diagnosis is the entry for run.json of an error that wraps ErrDiverged.
func (t *Trainer) diagnosis(cause error) run.Divergence {
	d := run.Divergence{Step: t.step, What: cause.Error(), Factor: t.factor()}
	if !errors.As(cause, &d.Place) {
		return d
	}
	if d.Place.Kind != method.BlownUp {
		d.Step++ // the step that was not completed
	}
	d.Place.Step = d.Step
	if m := d.Place.Datapoint; m != nil {
		d.Place.Source = source(t.data.points.Origin(*m))
	}
	d.What = fmt.Sprintf("%v at step %d: %s", ErrDiverged, d.Step, d.Place.Place())
	return d
}

// source names where a datapoint comes from.
func source(o data.Origin) string {
	name := o.File
	if name == "" {
		name = fmt.Sprintf("row %d of the data", o.Row)
	}
	if o.Flipped {
		name += ", flipped"
	}
	return name
}

// goodState is the checkpoint to go back to, or the zero Found for the initial state. It is the one
// that the present state comes from, unless that one seems to hold the cause of the fault. Newer
// ones on the disk belong to a continuation that was abandoned. The error says why there is none.
func (t *Trainer) goodState(d run.Divergence) (good checkpoint.Found, err error) {
	if d.Place != nil && !d.Place.Curable() {
		return good, errors.New("smaller steps cannot help")
	}
	if t.step == 0 && !t.stepMatters(d) {
		return good, errors.New("it is in the initial state, where smaller steps cannot help")
	}
	newest := checkpoint.Found{Dir: t.saving.storedDir, Step: t.saving.storedStep}
	if newest.Dir == "" {
		return newest, nil
	}
	// The newest is of no use if it fails at any step size. It is suspect if its continuations
	// failed soon, and repeatedly, with smaller and smaller steps.
	fails, again := t.step == newest.Step && !t.stepMatters(d), 0
	slowed := t.recovery.slowed
	if t.step-newest.Step <= soon && slowed.Retries > 0 && slowed.From == newest.Step {
		again = slowed.Times
	}
	lastRetry := slowed.Retries == t.cfg.DivergenceRetries-1
	suspect := again >= sameState || again > 0 && lastRetry
	if !fails && !suspect {
		return newest, nil
	}
	before, err := checkpoint.Before(t.writer.Dir, newest.Step)
	if err != nil {
		return good, err
	}
	switch {
	case before.Dir != "":
		return before, nil
	case t.isFirst(newest): // there is only the start before it
		return good, nil
	case fails:
		return good, errors.New("it is in the only checkpoint, where smaller steps cannot help")
	}
	return newest, nil
}

// isFirst reports whether newest, which has no older checkpoint beside it, is the run's first:
// keep_checkpoints has removed none so far. Retries do not count: each saves a state again.
func (t *Trainer) isFirst(newest checkpoint.Found) bool {
	c, err := checkpoint.Find(t.writer.Dir, filepath.Base(newest.Dir))
	if err != nil || c.Meta.Saved == 0 {
		return false
	}
	keep := t.cfg.KeepCheckpoints
	return keep == 0 || c.Meta.Saved-c.Meta.Slowed.Retries <= keep
}

// stepMatters reports whether a fault in the first step from a state depends on the step size. It
// does only if the fault is in a result of the step: a weight, or a particle's move.
func (t *Trainer) stepMatters(d run.Divergence) bool {
	return d.Place != nil && (d.Place.Kind == method.InWeight || d.Place.Kind == method.BlownUp)
}

// goBack restores a checkpoint, or an older one if it is damaged, or the initial state for the zero
// Found. The time and evaluations spent stay counted.
func (t *Trainer) goBack(good checkpoint.Found) error {
	t.speed = speed{}
	t.takePhases()
	t.warned.outliers.reset()
	if good.Dir == "" {
		t.sums, t.next, t.step = method.Stats{}, place{}, 0
		t.saving.stored, t.saving.storedStep, t.saving.storedDir = nil, 0, ""
		err := t.method.Close()
		t.method = nil
		runtime.GC() // so that there are never two methods in memory
		return errors.Join(err, t.build(context.Background()))
	}
	err := t.restoreFrom(good.Dir)
	if err == nil {
		return nil
	}
	older, olderErr := checkpoint.Before(t.writer.Dir, good.Step)
	if olderErr != nil || older.Dir == "" {
		return errors.Join(err, olderErr)
	}
	t.warn(fmt.Sprintf("%v: trying the checkpoint before it", err))
	return t.goBack(older)
}

// settle saves the state that the run went back to as the newest checkpoint, with the new factor,
// so that a process that ends here resumes from it. A run without a checkpoint begins again anyway.
// If the file system refuses, the save is tried again; a process that ends before that succeeds
// resumes from an older state, diverges again and goes back again.
func (t *Trainer) settle(d run.Divergence) error {
	t.saving.writer.Abandon(t.step)
	if _, err := checkpoint.LatestWhole(t.writer.Dir); err == nil {
		t.saving.stored = nil // the factor is new
		if err := t.saveNow(context.Background(), 0); err != nil && !file.Failed(err) {
			return err
		}
	}
	if err := t.log.Rewind(t.logged()); err != nil && !file.Failed(err) {
		return err
	} else {
		t.noteLog(err)
	}
	t.note(d)
	return nil
}

// note adds an entry to run.json, now or when the file system allows it.
func (t *Trainer) note(d run.Divergence) {
	t.recovery.unnoted = append(t.recovery.unnoted, d)
	if err := t.storeNotes(); err != nil {
		t.warn(fmt.Sprintf("%v; the divergence is noted in memory until it can be", err))
	}
}

// storeNotes writes the divergences that are not in run.json yet.
func (t *Trainer) storeNotes() error {
	if len(t.recovery.unnoted) == 0 {
		return nil
	}
	err := t.writer.Amend(func(info *run.Info) {
		info.Divergences = append(info.Divergences, t.recovery.unnoted...)
	})
	if err == nil {
		t.recovery.unnoted = nil
	}
	return err
}

// tried says which retries were made before the run gave up.
func (t *Trainer) tried() string {
	if t.recovery.slowed.Retries == 0 {
		return "divergence_retries = 0"
	}
	return fmt.Sprintf("tried again %d times, at last with step size and learning rate %.3g times "+
		"those configured", t.recovery.slowed.Retries, t.factor())
}

// giveUp returns the error of a run that ends: the cause, why there is no retry, and which
// checkpoint is kept.
func (t *Trainer) giveUp(d run.Divergence, cause error, why string) error {
	kept := "no checkpoint was saved before"
	if t.saving.storedDir != "" {
		kept = "no whole checkpoint is left"
	}
	if dir, err := checkpoint.LatestWhole(t.writer.Dir); err == nil {
		d.Kept = filepath.Base(dir)
		kept = fmt.Sprintf("the last good checkpoint stays: %s, to go on from with a larger "+
			"divergence_retries", dir)
	}
	err := fmt.Errorf("%w\n(%s; %s)", cause, why, kept)
	t.recovery.unnoted = append(t.recovery.unnoted, d)
	return errors.Join(err, t.storeNotes())
}
