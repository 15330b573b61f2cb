package lab

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/record"
)

// Experiment measures one thing in one model.
type Experiment struct {
	Section string // of ALGORITHM.md, such as "8.1"
	Title   string // unique: the random numbers depend on it
	Run     func(l *Lab) error
}

// String is the section and the title.
func (e Experiment) String() string { return e.Section + " " + e.Title }

// Lab is where an experiment runs: its workers, its seeds, and what it found.
type Lab struct {
	Pool     *pool.Pool
	Products *blas.Backend // of the networks that are not exact; nil: the default of package blas

	ctx        context.Context
	experiment Experiment
	seed       uint64
	thorough   bool
	found      *Findings
}

// Findings are the results of an experiment, in the order in which it made them.
type Findings struct {
	Checks  []Check
	Figures []Figure
}

// New prepares a lab for an experiment. seed is the seed of the run; thorough asks for more
// replicates.
func New(ctx context.Context, workers *pool.Pool, e Experiment, seed uint64, thorough bool) *Lab {
	return &Lab{
		Pool: workers, ctx: ctx, experiment: e, seed: seed, thorough: thorough, found: &Findings{},
	}
}

// Run performs the experiment. A training that diverges is a failed check, not an error.
func (l *Lab) Run() (Findings, error) {
	err := l.experiment.Run(l)
	if errors.Is(err, method.ErrDiverged) {
		nan := record.Number(math.NaN())
		l.add(Check{
			Quantity: l.experiment.Title, Exact: nan, Measured: nan, Low: nan, High: nan,
			Verdict: Fail, Note: err.Error(),
		})
		err = nil
	}
	return *l.found, err
}

// Context ends when the run is cancelled.
func (l *Lab) Context() context.Context { return l.ctx }

// N is quick, or thorough in a thorough run.
func (l *Lab) N(quick, thorough int) int {
	if l.thorough {
		return thorough
	}
	return quick
}

// Seed is the seed of the experiment's model number k. Seeds of different experiments are
// unrelated.
func (l *Lab) Seed(k int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s/%s/%d", l.seed, l.experiment.Section, l.experiment.Title, k)
	return h.Sum64()
}

// Branch is a lab for a part of the experiment, with seeds of its own.
func (l *Lab) Branch(part string) *Lab {
	b := *l
	b.experiment.Title += "/" + part
	return &b
}

// Models trains n independent models side by side, each on a pool of one worker, which never waits
// for others. The result must not depend on their order. It returns the error of the first model
// that has one.
func (l *Lab) Models(n int, train func(k int, p *pool.Pool) error) error {
	errs := make([]error, n)
	l.Pool.Run(pool.Group{N: n, Do: func(k int) {
		p := pool.New(1)
		defer p.Close()
		errs[k] = train(k, p)
	}})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
