package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// Options say what is compared.
type Options struct {
	Dir         string // of the comparison
	Contestants []Contestant
	// Base is the configuration from which the contestants of a method start; nil: method.DefaultFor.
	Base    func(config.Method) (config.Config, error)
	Budget  Budget
	Seeds   []uint64
	Metrics []string // groups of package evaluate; nil: all
	Jobs    int      // runs at the same time; 0 means 1

	Hook    trainer.Hook // of all runs, with one job
	Message func(string) // is told what is under way; nil: nobody
	Warn    func(string) // is told what the user should know; nil: nobody
	// Training is told how many runs are in training when that changes: while there is one, the end
	// of the context must be waited for, since a checkpoint is saved; nil: nobody.
	Training func(runs int)

	evaluate func(ctx context.Context, runDir string, o evaluate.Options) (*evaluate.Report, error)
	clock    func() time.Time
}

// MaxSeeds and maxJobs only keep a slip of the pen from filling the disk.
const MaxSeeds, maxJobs = 1000, 1000

func (o Options) withDefaults() Options {
	for _, f := range []*func(string){&o.Message, &o.Warn} {
		if *f == nil {
			*f = func(string) {}
		}
	}
	if o.Training == nil {
		o.Training = func(int) {}
	}
	if o.evaluate == nil {
		o.evaluate = evaluate.Run
	}
	if o.clock == nil {
		o.clock = time.Now
	}
	if len(o.Metrics) == 0 {
		o.Metrics = evaluate.Groups()
	}
	o.Jobs = max(1, o.Jobs)
	return o
}

func (o Options) validate() error {
	problems := []error{o.Budget.validate(), evaluate.Options{Which: o.Metrics}.Validate()}
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	expect(o.Dir != "", "directory: expected a name")
	expect(len(o.Contestants) > 0, "contestants: expected at least one")
	expect(len(o.Seeds) >= 1 && len(o.Seeds) <= MaxSeeds, "%d seeds: expected 1 to %d", len(o.Seeds), MaxSeeds)
	expect(o.Jobs <= maxJobs, "%d jobs: expected at most %d", o.Jobs, maxJobs)
	for i, s := range o.Seeds {
		expect(s <= kernel.MaxSeed && !slices.Contains(o.Seeds[:i], s), "seed %d: expected different ones up to 2^63 - 1", s)
	}
	return errors.Join(problems...)
}

// ErrUsage is wrapped by the errors of options that mean no comparison.
var ErrUsage = errors.New("no such comparison")

// prepare returns the plan of the comparison: the one that its directory holds, if it is the same
// comparison, or a new one. Without an error the directory is locked.
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
	all, err := data.Open(ctx, first.Data, first.DataOptions(o.Warn))
	if err != nil {
		return Plan{}, nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	fingerprint, err := data.Fingerprint(ctx, all)
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

// lock makes the comparison's directory, if need be, and keeps other processes from writing it.
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

// findPlan loads the plan, if there is one, for the session that info describes.
func (o Options) findPlan(configs []config.Config, info run.Info) (plan Plan, found bool, err error) {
	plan, found, err = LoadPlan(o.Dir)
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

// storePlan stores a new plan. A directory that was not there, and so was not locked, is made only
// now: an interrupted calibration leaves nothing.
func (o Options) storePlan(plan Plan, lock *run.Lock) (*run.Lock, error) {
	if lock == nil {
		var err error
		if lock, err = o.lock(); err != nil {
			return nil, err
		}
		if _, found, err := LoadPlan(o.Dir); err != nil {
			return lock, err
		} else if found {
			return lock, fmt.Errorf("%s: another process has begun a comparison there meanwhile; the same "+
				"command goes on with it", o.Dir)
		}
	}
	return lock, plan.store(o.Dir)
}

// threads are those of a run: jobs share the machine.
func (o Options) threads(asked int) int {
	if asked > 0 || o.Jobs == 1 {
		return asked
	}
	return max(1, pool.DefaultWorkers()/o.Jobs)
}

// newPlan calibrates.
func (o Options) newPlan(ctx context.Context, configs []config.Config, all data.Dataset, info run.Info) (Plan, error) {
	train, _, err := data.Split(all, configs[0].Holdout, o.Seeds[0])
	if err != nil {
		return Plan{}, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err := checkMemory(configs, train); err != nil {
		return Plan{}, err
	}
	b := &bench{train: train, pools: map[int]*pool.Pool{}, clock: o.clock}
	defer b.close()
	calibrations, err := b.calibrate(ctx, configs, o.Message)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Budget: o.Budget, Seeds: o.Seeds, Metrics: o.Metrics, Info: info}
	for i, c := range o.Contestants {
		plan.Contestants = append(plan.Contestants, o.plan(c, configs[i], calibrations[i]))
		if p := plan.Contestants[i]; !p.Fits {
			o.Warn(fmt.Sprintf("%s: one epoch is more than the budget of %v; it is run all the same", p.Name, o.Budget))
		}
	}
	return plan, nil
}
