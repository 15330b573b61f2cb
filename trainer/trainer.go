// Package trainer trains models of images.
//
// Train trains in memory. It takes a configuration (method.Default, package config) and a data set
// (data.Open, or the rows of a data.Table), and returns a Model, which draws samples and gives the
// latents of the images.
//
// New prepares a run instead, in a directory that keeps its configuration, records, checkpoints and
// pictures. Trainer.Run trains it, and calls Hooks with its progress. Resume continues an
// interrupted run with the bits that an uninterrupted one would have had; Restart begins again a
// run that has no checkpoint yet. Package run opens the directory of a run and samples from its
// model; package evaluate measures it.
//
// The loop is in trainer.go, what it saves in save.go, its reports in report.go and evaluate.go.
// The parts that it puts together are in sub-packages, each usable on its own.
package trainer

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// ErrInterrupted is what Run returns when its context ended and a checkpoint was saved.
var ErrInterrupted = errors.New("interrupted after saving a checkpoint")

// place is the position of a step in a run: its epoch, minibatch and repeat, all from 0.
type place struct{ epoch, batch, repeat int }

// Trainer is one run.
type Trainer struct {
	cfg     config.Config
	writer  run.Writer // of the run's directory
	hooks   []Hook
	from    string                // the checkpoint to resume from, as in From
	given   func(key string) bool // as in Given
	like    data.Rows             // conditions in the place of classes; nil: none
	limits  Limits
	early   early
	ranks   comm.Comm // nil: this is the only one
	team    *Team     // of which this is the first rank; nil: it is not
	follows bool      // this is another rank

	data   images
	memory needs
	pool   *pool.Pool
	method method.Method
	start  *method.Components // where its particles started; nil: at N(0, I)
	log    *record.Log
	saving saving

	next  place
	step  int          // parameter steps taken
	sums  method.Stats // of the epoch under way
	speed speed        // of the epoch under way, in this session
	clock phase.Clock  // of the same steps
	peak  float64      // operations per second that multiply-adds alone reach; 0: unknown
	spent spent        // by the run

	reports  reports
	heldOut  heldOut
	warned   warned
	recovery recovery
}

// speed is the work done in some time.
type speed struct {
	seconds    float64
	rows       float64 // particles moved, or rows trained on
	steps      float64
	operations float64 // of products
}

// spent is what the run has spent so far.
type spent struct {
	before      float64   // wall time of earlier sessions, in seconds
	start       time.Time // of this session's Run
	stepSeconds float64   // wall time of all steps
	steps       int       // taken in this session
	evaluations float64   // of networks, in all steps
}

// seconds is the wall time of the run so far.
func (s *spent) seconds() float64 {
	if s.start.IsZero() {
		return s.before
	}
	return s.before + time.Since(s.start).Seconds()
}

// warned is what the user has been warned of, so that no warning is repeated too often.
type warned struct {
	clipped, redrawn bool
	outliers         watch
}

// New prepares a new run in runDir, which must exist and hold no run, and stores the configuration
// there, with the data's path made absolute. It stops early, with ctx's error, when ctx ends. No
// other process can write runDir until Close (run.Acquire); if one does already, the error is a
// *run.LockedError.
func New(ctx context.Context, cfg config.Config, runDir string, opts ...Option) (*Trainer, error) {
	t, err := begin(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	err = run.CheckVacant(runDir) // not before the lock: another process could still make a run
	if err == nil {
		err = t.prepare(ctx, nil)
	}
	if err == nil {
		err = t.store()
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Close ends the workers, closes the files and lets other processes write the run. The trainer must
// not be used afterwards.
func (t *Trainer) Close() (err error) {
	t.awaitSave()
	t.dropBest()
	if t.data.all != nil {
		err = data.Close(t.data.all)
		t.data.all = nil
	}
	if t.pool != nil {
		t.pool.Close()
		t.pool = nil
	}
	if t.method != nil {
		err = errors.Join(err, t.method.Close())
		t.method = nil
	}
	if t.log != nil {
		err = errors.Join(err, t.log.Close())
		t.log = nil
	}
	return errors.Join(err, t.writer.Lock.Release())
}

// Run trains to the last epoch. When ctx ends, it completes the step under way, which can take
// seconds with a huge batch, saves a checkpoint, and returns an error that wraps ErrInterrupted. A
// run that diverges goes back to its last good state, as often as the configuration allows; then
// the error wraps ErrDiverged, and the last checkpoint stays as it was. At one of its Limits it
// ends as at the last epoch, with an error that wraps ErrLimit.
func (t *Trainer) Run(ctx context.Context) error {
	err := t.run(ctx)
	t.awaitSave()
	if errors.Is(err, ErrDiverged) {
		err = errors.Join(err, t.writer.Amend((*run.Info).SetDiverged))
	}
	return err
}

func (t *Trainer) run(ctx context.Context) error {
	t.spent.start = time.Now()
	t.measurePeak(ctx)
	t.saving.began = t.spent.start
	t.reportStart()
	if t.next.epoch >= t.cfg.Epochs {
		if err := t.reportAgain(ctx); err != nil {
			return err
		}
	}
	err := t.epochs(ctx)
	for errors.Is(err, ErrDiverged) {
		if err := t.retry(err); err != nil {
			return err
		}
		err = t.epochs(ctx)
	}
	if limit := (*limitError)(nil); errors.As(err, &limit) {
		return t.endAtLimit(ctx, limit)
	}
	if err != nil {
		return err
	}
	return t.finish(ctx)
}

// epochs trains from the present place to the end of the run, and saves the final state.
func (t *Trainer) epochs(ctx context.Context) error {
	if err := t.recallBest(); err != nil {
		return err
	}
	for t.next.epoch < t.cfg.Epochs && t.early.over() == "" {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	return t.storeEnd(ctx)
}

// epoch trains from the present place to the end of its epoch.
func (t *Trainer) epoch(ctx context.Context) error {
	for ; t.next.batch < t.data.batches.PerEpoch(); t.next.batch++ {
		for ; t.next.repeat < t.cfg.BatchRepeats; t.next.repeat++ {
			if ctx.Err() != nil {
				return t.interrupted()
			}
			if err := t.checkLimits(); err != nil {
				return err
			}
			if err := t.betweenSteps(); err != nil {
				return err
			}
			if err := t.oneStep(); err != nil {
				return err
			}
		}
		t.next.repeat = 0
	}
	return t.endEpoch(ctx)
}

// total is the number of parameter steps in the whole run.
func (t *Trainer) total() int {
	return t.cfg.Epochs * t.data.batches.PerEpoch() * t.cfg.BatchRepeats
}

// minibatch is what the next step trains on.
func (t *Trainer) minibatch() method.Minibatch {
	return method.Minibatch{
		Index:    t.data.batches.At(t.next.epoch, t.next.batch),
		Number:   uint32(t.next.epoch*t.data.batches.PerEpoch() + t.next.batch),
		Repeat:   t.next.repeat,
		Progress: float64(t.step) / float64(t.total()),
	}
}

func (t *Trainer) oneStep() error {
	began := time.Now()
	stats, err := t.method.Step(t.minibatch())
	if unread := data.Err(t.data.points); unread != nil && t.team == nil {
		return unread // numbers that are not finite come from there
	}
	if err != nil {
		return err
	}
	t.step++
	t.sums.Add(stats)
	t.observe(stats)
	took := time.Since(began).Seconds()
	t.speed.seconds += took
	t.spent.stepSeconds += took
	t.spent.steps++
	t.spent.evaluations += stats.Evaluations
	t.speed.operations += stats.Operations
	t.speed.rows += max(stats.Moved, stats.Rows)
	t.speed.steps++
	t.reportStep(stats)
	return t.checkRedrawn()
}

// due reports whether something done every so many epochs (0: only at the end of the run) is due at
// the end of the present one.
func (t *Trainer) due(every int) bool {
	done := t.next.epoch + 1
	return done == t.cfg.Epochs || every > 0 && done%every == 0
}

// endEpoch writes the epoch's record, with an evaluation and a checkpoint if they are due. Until
// the record is written, the place stays at the end of the epoch, so that a run stopped during an
// evaluation repeats that evaluation when it is resumed.
func (t *Trainer) endEpoch(ctx context.Context) error {
	e := t.record()
	if err := t.method.Err(); err != nil {
		return err
	}
	t.judge(e)
	err := t.measureEpoch(ctx, &e)
	if ctx.Err() == nil {
		err = cmp.Or(t.checkData(), err)
	}
	if err != nil {
		return err
	}
	if err := t.writeRecord(e); err != nil {
		return err
	}
	t.reports.last = e
	t.keepHeldOut(e)
	t.reportEpoch(e)
	checkpoint := t.saveDue()
	t.next = place{epoch: t.next.epoch + 1}
	t.sums, t.speed = method.Stats{}, speed{}
	if t.early.note(e) {
		if err := t.writeBest(); err != nil {
			return err
		}
	}
	if checkpoint {
		return t.save()
	}
	return nil
}

// measureEpoch makes the measurements of an epoch's record, and its evaluation if it is due.
func (t *Trainer) measureEpoch(ctx context.Context, e *record.Epoch) error {
	if err := t.measureHeldOut(ctx, e); ctx.Err() != nil {
		return t.interrupted()
	} else if err != nil {
		return err
	}
	if t.cfg.EvalSamples == 0 || !t.due(t.cfg.EvalEvery) {
		return nil
	}
	if t.saveDue() {
		if err := t.save(); err != nil { // the process may be killed during a long evaluation
			return err
		}
	}
	if err := t.evaluate(ctx, e); ctx.Err() != nil {
		return t.interrupted()
	} else if err != nil {
		return err
	}
	return nil
}

// end reports the summary of the run, and marks it in run.json. early is why it ended before its
// last epoch; "": it did not.
func (t *Trainer) end(ctx context.Context, early string, mark func(*run.Info)) error {
	floor := t.realFloor()
	if err := t.finishCurves(); err != nil {
		return err
	}
	t.memory.Peak, _ = memory.Peak()
	stall := t.stall()
	err := persist(ctx, t.saving.pauses, func() error {
		if err := t.storeNotes(); err != nil {
			return err
		}
		return t.writer.Amend(func(info *run.Info) {
			mark(info)
			info.Memory, info.Checkpoints = &t.memory.Memory, &stall
		})
	})
	if err != nil {
		return err
	}
	s := Summary{
		Seconds: t.spent.seconds(), Steps: t.step, Ended: early,
		Final: t.reports.last, Samples: t.cfg.EvalSamples,
		SamplePath: t.reports.pictures.samples, ReconPath: t.reports.pictures.recon,
		RealFloor: floor, RealImages: t.data.held.Len(),
		Memory: t.memory.Memory, Read: t.data.read, Stall: stall,
	}
	for _, h := range t.hooks {
		if h.OnEnd != nil {
			h.OnEnd(s)
		}
	}
	return nil
}
