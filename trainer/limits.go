package trainer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/run"
)

// ErrLimit is wrapped by what Run returns when it reached one of its Limits, saved a checkpoint and
// made its report. The run can be resumed.
var ErrLimit = errors.New("ended at a limit after saving a checkpoint")

// Limits end a session before the last epoch. They are no part of the model: step sizes and
// learning rates follow the configured epochs, and a run that goes on after a limit has the bits of
// one that had none.
type Limits struct {
	Steps int       // of the run, over all sessions; 0: no limit
	Until time.Time // after which the session takes no step but its first; zero: no limit
}

// Limited sets the limits of the session.
func Limited(l Limits) Option { return func(t *Trainer) { t.limits = l } }

// limitError is why a session ends before the last epoch.
type limitError struct{ why string }

func (e *limitError) Error() string { return fmt.Sprintf("%v: %s", ErrLimit, e.why) }
func (e *limitError) Unwrap() error { return ErrLimit }

// checkLimits returns a limitError if no further step may be taken.
func (t *Trainer) checkLimits() error {
	l := t.limits
	switch {
	case l.Steps > 0 && t.step >= l.Steps:
		return &limitError{"the run has " + humanize.Comma(int64(t.step)) + " steps"}
	case !l.Until.IsZero() && t.spent.steps > 0 && !time.Now().Before(l.Until):
		return &limitError{"its time is up"}
	}
	return nil
}

// lastStep is the number of steps at which the session ends, unless by its time.
func (t *Trainer) lastStep() int {
	if t.limits.Steps > 0 {
		return max(t.step, min(t.total(), t.limits.Steps))
	}
	return t.total()
}

// left is the time that the session will take from now on, without reports.
func (t *Trainer) left(perStep float64) time.Duration {
	left := time.Duration(perStep * float64(t.lastStep()-t.step) * float64(time.Second))
	if !t.limits.Until.IsZero() {
		left = min(left, max(0, time.Until(t.limits.Until)))
	}
	return left
}

// endAtLimit ends a session in the state that it has: it saves that, and reports it.
func (t *Trainer) endAtLimit(ctx context.Context, limit *limitError) error {
	if err := t.storeEnd(ctx); err != nil {
		return err
	}
	if err := t.reportHere(ctx); err != nil {
		return err
	}
	err := t.end(ctx, limit.why, func(info *run.Info) {
		info.SetFinished(nil)
		info.Ended = limit.why
	})
	return errors.Join(err, limit)
}

// reportHere makes the final report at the present place, which may be within an epoch. It adds no
// record: that of the epoch is written at the epoch's end.
func (t *Trainer) reportHere(ctx context.Context) error {
	switch {
	case t.sums.Rows > 0:
		t.reports.last = t.record()
	case t.reports.last.Step != t.step: // of an earlier session
		if err := t.recallReport(); err != nil {
			return err
		}
	}
	if t.reports.last.PCA64FD != nil {
		return nil // by the report of the epoch that has just ended
	}
	err := t.evaluate(ctx, &t.reports.last)
	if ctx.Err() != nil {
		return ErrInterrupted // the checkpoint is the newest state
	}
	return err
}

// recallReport takes the last record of the run, if there is one.
func (t *Trainer) recallReport() error {
	records, err := run.ReadRecords(t.writer.Dir)
	if err == nil && len(records) > 0 {
		t.reports.last = records[len(records)-1]
	}
	return err
}
