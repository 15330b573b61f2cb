package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// comparison is one call of Run.
type comparison struct {
	Options
	plan  Plan
	total int
	mu    sync.Mutex // of the files in Dir

	count   sync.Mutex
	running int // runs in training
}

// inTraining adds to the number of runs in training, and reports it.
func (c *comparison) inTraining(runs int) {
	c.count.Lock()
	defer c.count.Unlock()
	c.running += runs
	c.Training(c.running)
}

// do trains and evaluates one run, unless both are done already.
func (c *comparison) do(ctx context.Context, t task) error {
	if err := c.train(ctx, t); errors.Is(err, trainer.ErrDiverged) {
		c.Warn(fmt.Sprintf("%s, seed %d: %v", t.Name, t.seed, err))
	} else if err != nil {
		return fmt.Errorf("%s, seed %d: %w", t.Name, t.seed, err)
	} else if err := c.judge(ctx, t); err != nil {
		return fmt.Errorf("%s, seed %d: %w", t.Name, t.seed, err)
	}
	return c.report()
}

// train trains a run to its end.
func (c *comparison) train(ctx context.Context, t task) error {
	cfg, err := t.runConfig(t.seed)
	if err != nil {
		return err
	}
	training, err := c.open(ctx, t, cfg)
	if err != nil || training == nil {
		return err
	}
	c.Message(fmt.Sprintf("Run %d of %d: %s, seed %d, %d epochs",
		t.number, c.total, t.Name, t.seed, t.Epochs))
	c.inTraining(1)
	defer c.inTraining(-1)
	err = training.Run(ctx)
	return errors.Join(err, training.Close())
}

// open starts or resumes a run; nil if it has ended.
func (c *comparison) open(
	ctx context.Context, t task, cfg config.Config,
) (*trainer.Trainer, error) {
	hook := trainer.WithHook(c.hook(t))
	state, err := run.StateOf(t.dir)
	if err != nil {
		return nil, err
	}
	switch state {
	case run.Finished, run.Diverged:
		return nil, nil
	case run.Saved:
		return trainer.Resume(ctx, t.dir, cfg, hook, trainer.From(trainer.FromAuto))
	case run.Unsaved:
		return trainer.Restart(ctx, t.dir, cfg, hook)
	}
	if err := run.Create(t.dir); err != nil {
		return nil, err
	}
	training, err := trainer.New(ctx, cfg, t.dir, hook)
	if err != nil {
		os.Remove(t.dir) // only if it is empty
	}
	return training, err
}

// hook reports the progress of a run. With several jobs, whose lines of progress would overwrite
// each other, it reports only warnings.
func (c *comparison) hook(t task) trainer.Hook {
	h := trainer.Hook{OnWarning: func(text string) {
		c.Warn(fmt.Sprintf("%s, seed %d: %s", t.Name, t.seed, text))
	}}
	if c.Jobs > 1 {
		return h
	}
	h.OnStep, h.OnEpoch = c.Hook.OnStep, func(e record.Epoch) {
		if e.PCA64FD != nil && c.Hook.OnEpoch != nil {
			c.Hook.OnEpoch(e)
		}
	}
	return h
}

// judge evaluates a run, unless that is done already. A model whose samples are not finite counts
// as diverged.
func (c *comparison) judge(ctx context.Context, t task) error {
	path := filepath.Join(t.dir, evalFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if diverged, err := diverged(t.dir); err != nil || diverged {
		return err
	}
	cfg, err := t.runConfig(t.seed)
	if err != nil {
		return err
	}
	c.Message(fmt.Sprintf("Run %d of %d: evaluation", t.number, c.total))
	report, err := c.evaluate(ctx, t.dir, evaluate.Options{
		Samples:  cfg.EvalSamples,
		Solver:   cfg.Solver,
		Steps:    cfg.SolverSteps,
		Seed:     t.seed,
		Threads:  cfg.Threads,
		Which:    c.Metrics,
		Data:     cfg.Data,
		Progress: c.Message,
		Warn:     c.Warn,
	})
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case errors.Is(err, trainer.ErrDiverged):
		c.Warn(fmt.Sprintf("%s, seed %d: %v", t.Name, t.seed, err))
		return run.MarkDiverged(t.dir)
	case err != nil:
		return err
	}
	return storeReport(path, report)
}

func storeReport(path string, report *evaluate.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", evalFile, err)
	}
	if err := file.WriteBytes(file.OS, path, append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", evalFile, err)
	}
	return nil
}

// report writes the tables of all results so far.
func (c *comparison) report() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := collect(c.Dir, c.plan)
	if err != nil {
		return err
	}
	return r.writeTables(c.Dir)
}

// finish writes tables, plots and samples of all results so far. If ctx has ended there are no
// samples: they need data and models to be read again.
func (c *comparison) finish(ctx context.Context) (*Results, error) {
	r, err := collect(c.Dir, c.plan)
	if err == nil {
		err = errors.Join(r.writeTables(c.Dir), r.writePlots(c.Dir))
	}
	if err == nil && ctx.Err() == nil {
		err = r.writeSamples(ctx, filepath.Join(c.Dir, SamplesFile))
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = ErrInterrupted
	}
	return r, err
}
