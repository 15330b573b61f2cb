package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Names in the comparison's directory.
const (
	runsDir  = "runs"
	evalFile = "eval.json" // in a run's directory: the report of package evaluate
)

// ErrInterrupted is what Run returns when its context ended: the run under way has a checkpoint, and
// the same call goes on from there.
var ErrInterrupted = trainer.ErrInterrupted

// task is one run.
type task struct {
	Planning
	seed   uint64
	dir    string
	number int // from 1
}

// tasks are all runs: every contestant with the first seed, then with the next, so that a part of
// them is a comparison, too.
func (p Plan) tasks(dir string) (all []task) {
	for _, seed := range p.Seeds {
		for _, c := range p.Contestants {
			all = append(all, task{
				Planning: c, seed: seed, number: len(all) + 1,
				dir: filepath.Join(dir, runsDir, fmt.Sprintf("%s-s%d", c.dir(), seed)),
			})
		}
	}
	return all
}

// Run makes the comparison, or goes on with it: what is finished in Dir stays. Where another process is
// at it, the error is a *run.LockedError. A run that diverges is
// part of the result. After every run the tables in Dir are those of all runs so far. When ctx ends, the
// runs under way save checkpoints, plots are drawn of those that are done, and the error wraps
// ErrInterrupted.
func Run(ctx context.Context, o Options) (*Results, error) {
	o = o.withDefaults()
	plan, lock, err := o.prepare(ctx)
	if ctx.Err() != nil {
		return nil, errors.Join(ErrInterrupted, lock.Release())
	}
	if err != nil {
		return nil, err
	}
	r, err := o.run(ctx, plan)
	return r, errors.Join(err, lock.Release())
}

// run makes all runs of the plan that are not done.
func (o Options) run(ctx context.Context, plan Plan) (*Results, error) {
	tasks := plan.tasks(o.Dir)
	o.announce(plan, len(tasks))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(o.Jobs)
	c := &comparison{Options: o, plan: plan, total: len(tasks)}
	for _, t := range tasks {
		group.Go(func() error {
			if inner.Err() != nil {
				return ErrInterrupted
			}
			return c.do(inner, t)
		})
	}
	err := group.Wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())) {
		err = ErrInterrupted // while it read data, or evaluated
	}
	if err != nil && !errors.Is(err, ErrInterrupted) {
		return nil, err
	}
	r, drawErr := c.finish(ctx)
	return r, errors.Join(err, drawErr)
}

func (o Options) announce(p Plan, runs int) {
	var seconds float64
	for _, c := range p.Contestants {
		o.Message(fmt.Sprintf("%s: %d epochs, %d steps, about %.1f s and %s network evaluations",
			c.Name, c.Epochs, c.Steps, c.Seconds, count(c.Evaluations)))
		seconds += c.Seconds * float64(len(p.Seeds)) / float64(o.Jobs)
	}
	o.Message(fmt.Sprintf("%d runs of %v each: about %v, and evaluations", runs, p.Budget,
		time.Duration(seconds*float64(time.Second)).Round(time.Second)))
}

// do trains and evaluates one run, as far as that is not done.
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

// train brings a run to its end, unless it is there.
func (c *comparison) train(ctx context.Context, t task) error {
	cfg, err := t.config(t.seed)
	if err != nil {
		return err
	}
	training, err := c.open(ctx, t, cfg)
	if err != nil || training == nil {
		return err
	}
	c.Message(fmt.Sprintf("Run %d of %d: %s, seed %d, %d epochs", t.number, c.total, t.Name, t.seed, t.Epochs))
	c.inTraining(1)
	defer c.inTraining(-1)
	err = training.Run(ctx)
	return errors.Join(err, training.Close())
}

// open starts or resumes a run; nil if it has ended.
func (c *comparison) open(ctx context.Context, t task, cfg config.Config) (*trainer.Trainer, error) {
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

// diverged tells whether a run ended by divergence; one that is not there has not.
func diverged(runDir string) (bool, error) {
	info, err := run.ReadInfo(runDir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return info.Diverged, err
}

// hook reports a run; several at a time would write over each other's progress.
func (c *comparison) hook(t task) trainer.Hook {
	h := trainer.Hook{OnWarning: func(text string) { c.Warn(fmt.Sprintf("%s, seed %d: %s", t.Name, t.seed, text)) }}
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

// judge evaluates a run, once. A model whose images are not finite counts as diverged.
func (c *comparison) judge(ctx context.Context, t task) error {
	path := filepath.Join(t.dir, evalFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if diverged, err := diverged(t.dir); err != nil || diverged {
		return err
	}
	cfg, err := t.config(t.seed)
	if err != nil {
		return err
	}
	c.Message(fmt.Sprintf("Run %d of %d: evaluation", t.number, c.total))
	report, err := c.evaluate(ctx, t.dir, evaluate.Options{
		Samples: cfg.EvalSamples, Solver: cfg.Solver, Steps: cfg.SolverSteps, Seed: t.seed, Threads: cfg.Threads,
		Which: c.Metrics, Data: cfg.Data, Progress: c.Message, Warn: c.Warn,
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
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", evalFile, err)
	}
	if err := file.WriteBytes(file.OS, path, append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", evalFile, err)
	}
	return nil
}
