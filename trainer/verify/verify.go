package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/verify/lab"
	"github.com/plume-ml/plume/trainer/verify/linear"
	"github.com/plume-ml/plume/trainer/verify/mixture"
	"github.com/plume-ml/plume/trainer/verify/products"
	"github.com/plume-ml/plume/trainer/verify/toy"
)

// Options say what to verify and how tightly.
type Options struct {
	Seed     uint64
	Thorough bool         // more replicates, for tighter intervals
	Threads  int          // workers; 0: all cores
	Only     []string     // sections such as "8.1", or parts of experiments' titles; none: all
	Progress func(string) // called with each experiment before it runs; may be nil

	// Precision of the products of the networks that are not exact; empty: float32.
	Precision blas.Precision
}

// ErrUnknown is wrapped by the error for an element of Options.Only that no experiment matches.
var ErrUnknown = errors.New("no experiment")

// experiments are all of them, in the order in which they run.
var experiments = slices.Concat(
	toy.Hierarchical, linear.Experiments, mixture.Experiments, toy.Scale, products.Experiments,
)

// Titles lists the experiments by section and title.
func Titles() []string {
	titles := make([]string, len(experiments))
	for i, e := range experiments {
		titles[i] = e.String()
	}
	return titles
}

// Run performs the experiments one after the other and returns their checks and figures. A failed
// check is not an error. Errors are those of ctx, and ErrUnknown.
func Run(ctx context.Context, o Options) (*Report, error) {
	chosen, err := choose(o.Only)
	if err != nil {
		return nil, err
	}
	backend, err := blas.In(cmp.Or(o.Precision, blas.Float32))
	if err != nil {
		return nil, err
	}
	workers := pool.New(o.Threads)
	defer workers.Close()
	report := &Report{Seed: o.Seed, Thorough: o.Thorough, Checks: []lab.Check{}}
	for _, e := range chosen {
		if o.Progress != nil {
			o.Progress(e.String())
		}
		l := lab.New(ctx, workers, e, o.Seed, o.Thorough)
		l.Products = backend
		found, err := l.Run()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		report.Checks = append(report.Checks, found.Checks...)
		report.Figures = append(report.Figures, found.Figures...)
	}
	return report, nil
}

// choose returns the experiments that match any of the words, each once, in the order of
// experiments.
func choose(only []string) ([]lab.Experiment, error) {
	if len(only) == 0 {
		return experiments, nil
	}
	wanted := make([]bool, len(experiments))
	for _, word := range only {
		found := matches(word)
		if len(found) == 0 {
			const text = "%w %q; expected a section or a word of one of\n%s"
			return nil, fmt.Errorf(text, ErrUnknown, word, strings.Join(Titles(), "\n"))
		}
		for _, i := range found {
			wanted[i] = true
		}
	}
	var chosen []lab.Experiment
	for i, e := range experiments {
		if wanted[i] {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// matches returns the numbers of the experiments whose section or title is the word, or else of
// those whose titles contain it.
func matches(word string) (whole []int) {
	var part []int
	for i, e := range experiments {
		if e.Section == word || e.Title == word {
			whole = append(whole, i)
		} else if word != "" && strings.Contains(e.Title, word) {
			part = append(part, i)
		}
	}
	if whole != nil {
		return whole
	}
	return part
}
