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

// Options describe a comparison.
type Options struct {
	Dir         string // directory of the comparison
	Contestants []Contestant
	// Base returns the configuration that the contestants of a method start from; nil:
	// method.DefaultFor.
	Base func(config.Method) (config.Config, error)
	// Given names keys that Base sets, perhaps to the method's default. The keys that are neither
	// among them nor other than that default may take those of the networks that suit the data
	// (method.Resolve).
	Given   []string
	Budget  Budget
	Seeds   []uint64
	Metrics []string // groups of package evaluate; nil: all
	Jobs    int      // runs at the same time; 0 means 1

	Hook    trainer.Hook // of all runs, with one job
	Message func(string) // is called with what is being done; may be nil
	Warn    func(string) // is called with warnings for the user; may be nil
	// Training is called with the number of runs in training whenever it changes; it may be nil.
	// While the number is above 0, wait for Run to return after the context has ended: it saves
	// checkpoints.
	Training func(runs int)

	evaluate func(ctx context.Context, runDir string, o evaluate.Options) (*evaluate.Report, error)
	clock    func() time.Time
}

// MaxSeeds and maxJobs protect against typos.
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

// Methods returns the methods of the contestants, each once.
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
