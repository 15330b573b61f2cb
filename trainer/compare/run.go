package compare

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plume-ml/plume/trainer"
)

// Names in the comparison's directory.
const (
	runsDir  = "runs"
	evalFile = "eval.json" // in a run's directory: the report of package evaluate
)

// ErrInterrupted is what Run returns when its context has ended: the runs in training have saved
// checkpoints, and the same call resumes the comparison.
var ErrInterrupted = trainer.ErrInterrupted

// Run makes the comparison, or resumes it: finished runs in Dir are kept. If another process works
// on it, the error is a *run.LockedError. A run that diverges is part of the result. The tables in
// Dir are updated after every run. When ctx ends, the runs in training save checkpoints, finished
// runs are plotted, and the error wraps ErrInterrupted.
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
		err = ErrInterrupted // ctx ended while a run was read or evaluated
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

// task is one run.
type task struct {
	ContestantPlan
	seed   uint64
	dir    string
	number int // from 1
}

// tasks returns all runs: every contestant with the first seed, then with the next, so that even an
// interrupted comparison compares all contestants.
func (p Plan) tasks(dir string) (all []task) {
	for _, seed := range p.Seeds {
		for _, c := range p.Contestants {
			all = append(all, task{
				ContestantPlan: c, seed: seed, number: len(all) + 1,
				dir: filepath.Join(dir, runsDir, fmt.Sprintf("%s-s%d", c.dir(), seed)),
			})
		}
	}
	return all
}
