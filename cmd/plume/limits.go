package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer"
)

// limits is the flags that end a training early.
type limits struct {
	time  time.Duration
	steps int
	began time.Time
}

const (
	maxTimeFlag  = "max-time"
	maxStepsFlag = "max-steps"
)

func (l *limits) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&l.time, maxTimeFlag, 0, "end after this `duration`, such as 55m, with a "+
		"checkpoint and a report, for which to leave time; it counts from the start of the command")
	flags.IntVar(&l.steps, maxStepsFlag, 0,
		"end when the run has `N` steps, over all sessions, with a checkpoint and a report")
}

// check begins the time, and refuses limits that allow no step.
func (l *limits) check(flags *pflag.FlagSet) error {
	l.began = time.Now()
	if flags.Changed(maxTimeFlag) && l.time <= 0 {
		return fmt.Errorf("--%s is %v: expected a duration above 0, such as 55m or 1h30m",
			maxTimeFlag, l.time)
	}
	if flags.Changed(maxStepsFlag) && l.steps < 1 {
		return fmt.Errorf("--%s is %d: expected at least 1", maxStepsFlag, l.steps)
	}
	return nil
}

func (l *limits) option() trainer.Option {
	limits := trainer.Limits{Steps: l.steps}
	if l.time > 0 {
		limits.Until = l.began.Add(l.time)
	}
	return trainer.Limited(limits)
}
