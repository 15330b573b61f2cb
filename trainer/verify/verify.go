package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// Options say what to verify and how tightly.
type Options struct {
	Seed     uint64
	Thorough bool     // more replicates, for tighter intervals
	Threads  int      // workers; 0: all cores
	Only     []string // sections such as "8.1", or words of experiments' titles; none: all
	Progress func(string)
}

// ErrUnknown is wrapped by the error of a word in Options.Only that chooses nothing.
var ErrUnknown = errors.New("no experiment")

// experiment measures one thing in one model. Its title is unique: the noise depends on it.
type experiment struct {
	section, title string
	run            func(l *lab) error
}

var experiments = slices.Concat(toyExperiments, boundExperiments, linearExperiments, mixtureExperiments, scaleExperiments)

// Titles lists the experiments, each as its section and its title.
func Titles() []string {
	titles := make([]string, len(experiments))
	for i, e := range experiments {
		titles[i] = e.section + " " + e.title
	}
	return titles
}

// Run makes the experiments, one after the other, and returns all checks. Failed checks are no error;
// the end of ctx is, and so is a word of o.Only that chooses nothing (ErrUnknown).
func Run(ctx context.Context, o Options) (*Report, error) {
	chosen, err := choose(o.Only)
	if err != nil {
		return nil, err
	}
	workers := pool.New(o.Threads)
	defer workers.Close()
	report := &Report{Seed: o.Seed, Thorough: o.Thorough, Checks: []Check{}}
	for _, e := range chosen {
		if o.Progress != nil {
			o.Progress(e.section + " " + e.title)
		}
		l := &lab{Options: o, ctx: ctx, pool: workers, experiment: e, report: report}
		if err := l.perform(); err != nil {
			return nil, fmt.Errorf("%s %s: %w", e.section, e.title, err)
		}
	}
	return report, nil
}

// perform runs the experiment. A training that diverged is a failed check.
func (l *lab) perform() error {
	err := l.run(l)
	if errors.Is(err, method.ErrDiverged) {
		l.add(Check{Quantity: l.title, Exact: math.NaN(), Measured: math.NaN(), Low: math.NaN(), High: math.NaN(), Verdict: Fail, Note: err.Error()})
		return nil
	}
	return err
}

// choose finds the experiments that the words ask for, each once, in their order.
func choose(only []string) ([]experiment, error) {
	if len(only) == 0 {
		return experiments, nil
	}
	wanted := make([]bool, len(experiments))
	for _, word := range only {
		found := matches(word)
		if len(found) == 0 {
			return nil, fmt.Errorf("%w %q; expected a section or a word of one of\n%s", ErrUnknown, word, strings.Join(Titles(), "\n"))
		}
		for _, i := range found {
			wanted[i] = true
		}
	}
	var chosen []experiment
	for i, e := range experiments {
		if wanted[i] {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// matches are the experiments of a section, or the one of that title; else those with the word in their titles.
func matches(word string) (whole []int) {
	var part []int
	for i, e := range experiments {
		if e.section == word || e.title == word {
			whole = append(whole, i)
		} else if word != "" && strings.Contains(e.title, word) {
			part = append(part, i)
		}
	}
	if whole != nil {
		return whole
	}
	return part
}
