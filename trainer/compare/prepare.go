package compare

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// prepare returns the plan of the comparison: the one in its directory, if it is the same
// comparison, or a new one. Unless there is an error, the directory is locked.
func (o Options) prepare(ctx context.Context) (Plan, *run.Lock, error) {
	if err := o.validate(); err != nil {
		return Plan{}, nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	configs, err := o.configs()
	if err != nil {
		return Plan{}, nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	for i := range configs {
		configs[i].Threads = o.threads(configs[i].Threads)
	}
	first := configs[0]
	all, err := o.readData(ctx, first)
	if err != nil {
		return Plan{}, nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err := o.resolveAll(configs, all); err != nil {
		return Plan{}, nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	was, _, _ := loadPlan(o.Dir) // findPlan has the error
	fingerprint, err := data.FingerprintLike(ctx, all, was.Info.Fingerprint)
	if err != nil {
		return Plan{}, nil, err
	}
	info := run.NewInfo(first, fingerprint, all.Shape())
	var lock *run.Lock
	if _, err := os.Stat(o.Dir); err == nil {
		if lock, err = o.lock(); err != nil {
			return Plan{}, nil, err
		}
	}
	plan, found, err := o.findPlan(configs, info)
	if err == nil && !found {
		if plan, err = o.newPlan(ctx, configs, all, info); err == nil {
			lock, err = o.storePlan(plan, lock)
		}
	}
	if err != nil {
		return Plan{}, nil, errors.Join(err, lock.Release())
	}
	return plan, lock, nil
}

// resolveAll makes the choices that the configurations leave to the data.
func (o Options) resolveAll(configs []config.Config, all data.Dataset) (err error) {
	picture, advised := all.Shape(), ""
	classes, _ := data.ClassesOf(all) // none without labels
	for i, c := range o.Contestants {
		asked := configs[i].On(data.KindOf(all), data.LikelihoodOf(all))
		configs[i], err = o.resolve(c, asked, all)
		if err == nil {
			advice := method.Advice(asked, configs[i], picture)
			if advice != "" && advice != advised {
				advised = advice
				o.Warn(advice)
			}
			configs[i], err = method.ResolveClasses(configs[i], classes.Len())
		}
		if err != nil {
			return fmt.Errorf("contestant %s: %w", c.Name, err)
		}
	}
	return o.checkDistinct(configs)
}

// readData reads the data of the comparison, with messages if that takes long.
func (o Options) readData(ctx context.Context, c config.Config) (all data.Dataset, err error) {
	reporter := progress.Reporter{Report: o.Message}
	err = reporter.Reading(c.Data, func(t *progress.Task) (err error) {
		warn := func(text string) { t.Do(func() { o.Warn(text) }) }
		all, err = data.Open(ctx, c.Data, c.DataOptions(warn, t.At))
		return err
	})
	return all, err
}

// lock creates the comparison's directory, if necessary, and locks it against other processes.
func (o Options) lock() (*run.Lock, error) {
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	lock, err := run.Acquire(o.Dir)
	switch {
	case err != nil:
		return nil, err
	case lock.Warning != "":
		o.Warn(lock.Warning)
	default:
		file.RemoveStale(file.OS, o.Dir)
	}
	return lock, nil
}

// findPlan loads the plan, if there is one, and checks that it is the plan of these options. info
// describes this session.
func (o Options) findPlan(
	configs []config.Config, info run.Info,
) (plan Plan, found bool, err error) {
	plan, found, err = loadPlan(o.Dir)
	if err != nil || !found {
		return Plan{}, false, err
	}
	if err := plan.check(o, configs, info.Fingerprint); err != nil {
		return Plan{}, false, err
	}
	o.Message("Going on with the comparison in " + o.Dir)
	for _, difference := range plan.Info.Differs(info) {
		o.Warn("the comparison goes on with other bits than it would have had: " + difference)
	}
	plan.moveData(configs[0])
	return plan, true, nil
}

// storePlan stores a new plan. A directory that did not exist is created and locked only now, so
// that an interrupted calibration leaves nothing behind.
func (o Options) storePlan(plan Plan, lock *run.Lock) (*run.Lock, error) {
	if lock == nil {
		var err error
		if lock, err = o.lock(); err != nil {
			return nil, err
		}
		if _, found, err := loadPlan(o.Dir); err != nil {
			return lock, err
		} else if found {
			return lock, fmt.Errorf("%s: another process has begun a comparison there meanwhile; "+
				"the same command goes on with it", o.Dir)
		}
	}
	return lock, plan.store(o.Dir)
}

// threads returns the number of threads of a run: jobs share the machine.
func (o Options) threads(asked int) int {
	if asked > 0 || o.Jobs == 1 {
		return asked
	}
	return max(1, pool.DefaultWorkers()/o.Jobs)
}

// newPlan measures the contestants' costs and plans their runs.
func (o Options) newPlan(
	ctx context.Context, configs []config.Config, all data.Dataset, info run.Info,
) (Plan, error) {
	train, _, err := data.Split(all, configs[0].Holdout, o.Seeds[0])
	if err != nil {
		return Plan{}, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err := checkMemory(configs, train); err != nil {
		return Plan{}, err
	}
	b := &calibrator{train: train, pools: map[int]*pool.Pool{}, clock: o.clock}
	defer b.close()
	calibrations, err := b.calibrate(ctx, configs, o.Message)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Budget: o.Budget, Seeds: o.Seeds, Metrics: o.Metrics, Info: info}
	for i, c := range o.Contestants {
		plan.Contestants = append(plan.Contestants, o.planFor(c, configs[i], calibrations[i]))
		if p := plan.Contestants[i]; !p.Fits {
			o.Warn(fmt.Sprintf("%s: one epoch is more than the budget of %v; it is run all "+
				"the same", p.Name, o.Budget))
		}
	}
	return plan, nil
}
