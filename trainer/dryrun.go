package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// Forecast is what DryRun found out about a training.
type Forecast struct {
	Config     config.Config `json:"-"` // as the data resolve it
	Read       data.Summary  `json:"read"`
	Networks   string        `json:"networks"` // with their shapes and numbers of parameters
	Memory     run.Memory    `json:"memory"`
	Checkpoint int64         `json:"checkpoint_bytes"` // of each checkpoint
	Ranks      int           `json:"ranks,omitempty"`  // of which this tells of one (OneOf); 0: one

	Datapoints  int     `json:"datapoints"`   // trained on, with mirror images
	HeldOut     int     `json:"held_out"`     // rows
	PerEpoch    int     `json:"epoch_steps"`  // steps of an epoch
	Steps       int     `json:"steps"`        // of the whole run
	Done        int     `json:"done_steps"`   // of them, those of the checkpoint to resume from
	Last        int     `json:"last_step"`    // at which the session would end, unless by its time
	Reports     int     `json:"reports"`      // that the session would make
	Timed       int     `json:"timed_steps"`  // behind the next three
	StepSeconds float64 `json:"step_seconds"` // mean of a step
	RowsPerS    float64 `json:"rows_per_s"`   // in them
	Seconds     float64 `json:"seconds"`      // that the steps of the session would take
}

// DryRun prepares a run as New, Resume or Restart would, according to what there is in runDir, and
// takes some steps of it to see how long they take. It changes and writes nothing; only with
// particles in a file it needs their place on the disk for a while. runDir need not exist. When ctx
// ends, it stops after the step under way, with ctx's error. Of the options From, Given, Limited,
// OneOf and WithHook have a meaning.
func DryRun(
	ctx context.Context, cfg config.Config, runDir string, opts ...Option,
) (f Forecast, err error) {
	t := &Trainer{cfg: cfg, writer: run.Writer{Dir: runDir}, data: images{given: cfg.Data}}
	for _, o := range opts {
		o(t)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.rehearse(ctx); err != nil {
		return f, err
	}
	if f, err = t.forecast(); err != nil {
		return f, err
	}
	return f, t.timeSteps(ctx, &f)
}

// rehearse makes the state in which the run would begin or go on.
func (t *Trainer) rehearse(ctx context.Context) error {
	state, err := run.StateOf(t.writer.Dir)
	switch {
	case err != nil:
		return err
	case state == run.Unsaved:
		if err := t.checkUnsaved(); err != nil {
			return err
		}
		return t.prepare(ctx, nil)
	case state != run.NoRun:
		return t.reopen(ctx)
	}
	for { // where a file of particles would be, or close to it
		if info, err := os.Stat(t.writer.Dir); err == nil && info.IsDir() {
			return t.prepare(ctx, nil)
		}
		t.writer.Dir = filepath.Dir(t.writer.Dir)
	}
}

// forecast is what is known without a step.
func (t *Trainer) forecast() (Forecast, error) {
	networks, err := method.Describe(t.cfg, t.data.train.Shape())
	f := Forecast{
		Config: t.cfg, Read: t.data.read, Networks: networks, Memory: t.memory.Memory,
		Datapoints: t.data.points.Len(), HeldOut: t.data.held.Len(),
		PerEpoch: t.data.batches.PerEpoch() * t.cfg.BatchRepeats, Steps: t.total(),
		Done: t.step, Last: t.lastStep(),
	}
	if t.size() > 1 {
		f.Ranks = t.size()
	}
	for _, x := range t.tensors(nil) {
		f.Checkpoint += int64(4*len(x.F32) + 4*len(x.U32) + 8*len(x.F64))
	}
	if t.cfg.EvalSamples > 0 {
		f.Reports = t.reportsUntil(f.Last) - t.reportsUntil(f.Done)
		if f.Last < f.Steps && f.Reports == t.reportsUntil(f.Last-1)-t.reportsUntil(f.Done) {
			f.Reports++ // at the limit
		}
	}
	return f, err
}

// reportsUntil is the number of reports of a run that ends after so many steps.
func (t *Trainer) reportsUntil(step int) int {
	epochs := step / (t.data.batches.PerEpoch() * t.cfg.BatchRepeats)
	reports := 0
	if t.cfg.EvalEvery > 0 {
		reports = epochs / t.cfg.EvalEvery
	}
	if epochs == t.cfg.Epochs && (t.cfg.EvalEvery == 0 || epochs%t.cfg.EvalEvery != 0) {
		reports++
	}
	return reports
}

// Each stage of a training is timed for about timedFor, after warmUp steps that also pay what the
// stage costs once.
const (
	timedFor = 2 * time.Second
	warmUp   = 1
)

// timeSteps takes steps of each stage that the run has before it. After that the state is not that
// of any run.
func (t *Trainer) timeSteps(ctx context.Context, f *Forecast) error {
	var seconds, rows float64 // of the steps that are left
	begun := time.Now()
	for _, s := range t.stages(f.Last) {
		var timed speed
		reporter := progress.Reporter{Report: t.message, After: t.reports.after}
		err := reporter.Run(func(d *progress.Task) (err error) {
			d.Set("timing steps")
			timed, err = t.timeStage(ctx, s)
			return err
		})
		if err != nil {
			return err
		}
		each := timed.seconds / timed.steps
		seconds += float64(s.steps) * each
		rows += float64(s.steps) * timed.rows / timed.steps
		f.Timed += int(timed.steps)
	}
	if f.Timed == 0 {
		return nil
	}
	f.StepSeconds = seconds / float64(f.Last-f.Done)
	f.RowsPerS = rows / seconds
	f.Seconds = seconds
	if !t.limits.Until.IsZero() { // counted from before the forecast
		f.Seconds = min(seconds, max(0, t.limits.Until.Sub(begun).Seconds()))
	}
	return nil
}

// stage is a part of the steps that a session would take, with the progress of its last one.
type stage struct {
	steps    int
	progress float64
}

// stages are the parts of the steps up to last whose costs differ.
func (t *Trainer) stages(last int) (all []stage) {
	total, from := float64(t.total()), t.step
	ends := []int{last}
	if method.Reads(t.cfg.Method, "prior_share") { // it has a second stage
		ends = []int{min(last, int(math.Ceil((1-t.cfg.PriorShare)*total))), last}
	}
	for _, end := range ends {
		if end > from {
			all = append(all, stage{end - from, float64(end-1) / total})
			from = end
		}
	}
	return all
}

// timeStage takes steps with the progress of a stage's end, no more than the stage has.
func (t *Trainer) timeStage(ctx context.Context, s stage) (timed speed, err error) {
	began := time.Now()
	for i := 0; i < s.steps && (i <= warmUp || time.Since(began) < timedFor); i++ {
		if i == warmUp {
			timed = speed{}
		}
		if err := ctx.Err(); err != nil {
			return timed, err
		}
		b := t.minibatch()
		b.Progress = s.progress
		step := time.Now()
		stats, err := t.method.Step(b)
		if err != nil {
			return timed, fmt.Errorf("a step of the dry run: %w", err)
		}
		timed.seconds += time.Since(step).Seconds()
		timed.rows += max(stats.Moved, stats.Rows)
		timed.steps++
		t.next.batch++
		if t.next.batch >= t.data.batches.PerEpoch() {
			t.next = place{epoch: t.next.epoch + 1}
		}
	}
	return timed, nil
}
