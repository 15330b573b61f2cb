package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
)

// Options say what is compared.
type Options struct {
	Dir         string // of the comparison
	Contestants []Contestant
	// Base is the configuration from which the contestants of a method start; nil:
	// method.DefaultFor.
	Base    func(config.Method) (config.Config, error)
	Budget  Budget
	Seeds   []uint64
	Metrics []string // groups of package evaluate; nil: all
	Jobs    int      // runs at the same time; 0 means 1

	Hook    trainer.Hook // of all runs, with one job
	Message func(string) // is told what is under way; nil: nobody
	Warn    func(string) // is told what the user should know; nil: nobody
	// Training is told the number of runs in training whenever it changes; may be nil. While it is
	// above 0, wait for Run to return after the context has ended: a checkpoint is being saved.
	Training func(runs int)

	evaluate func(ctx context.Context, runDir string, o evaluate.Options) (*evaluate.Report, error)
	clock    func() time.Time
}

// MaxSeeds and maxJobs protect against typing errors.
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

// Methods are those of the contestants.
func (o Options) Methods() (all []config.Method) {
	for _, c := range o.Contestants {
		if !slices.Contains(all, c.Method) {
			all = append(all, c.Method)
		}
	}
	return all
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
	expect(len(o.Seeds) >= 1 && len(o.Seeds) <= MaxSeeds, "%d seeds: expected 1 to %d",
		len(o.Seeds), MaxSeeds)
	expect(o.Jobs <= maxJobs, "%d jobs: expected at most %d", o.Jobs, maxJobs)
	for i, s := range o.Seeds {
		expect(s <= kernel.MaxSeed && !slices.Contains(o.Seeds[:i], s), "seed %d: expected "+
			"different ones up to 2^63 - 1", s)
	}
	return errors.Join(problems...)
}

// ErrUsage is wrapped by the errors of invalid options.
var ErrUsage = errors.New("no such comparison")
