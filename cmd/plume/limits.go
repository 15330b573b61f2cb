package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer"
)

// limits is the flags that end a training early.
type limits struct {
	time  time.Duration
	steps int
	began time.Time
	early trainer.EarlyStop
}

const (
	maxTimeFlag   = "max-time"
	maxStepsFlag  = "max-steps"
	earlyStopFlag = "early-stop"
	patienceFlag  = "patience"

	usualPatience = 10
)

func (l *limits) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&l.time, maxTimeFlag, 0, "end after this `duration`, such as 55m, with a "+
		"checkpoint and a report, for which to leave time; it counts from the start of the command")
	flags.IntVar(&l.steps, maxStepsFlag, 0,
		"end when the run has `N` steps, over all sessions, with a checkpoint and a report")
	flags.StringVar(&l.early.Metric, earlyStopFlag, "", "finish once this `number` of "+
		"metrics.jsonl has stopped falling ("+strings.Join(trainer.StopMetrics, ", ")+
		"), and keep the checkpoint where it was lowest as checkpoints/best, saved as often as "+
		"checkpoint_every says")
	flags.IntVar(&l.early.Patience, patienceFlag, usualPatience, "with --"+earlyStopFlag+
		", so `many` records with the number after the lowest finish the run (0: none do, the "+
		"best checkpoint is kept)")
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
	switch early := flags.Changed(earlyStopFlag); {
	case early && !slices.Contains(trainer.StopMetrics, l.early.Metric):
		return fmt.Errorf("--%s is %q: expected one of %s", earlyStopFlag, l.early.Metric,
			strings.Join(trainer.StopMetrics, ", "))
	case !early && flags.Changed(patienceFlag):
		return fmt.Errorf("--%s needs --%s", patienceFlag, earlyStopFlag)
	case l.early.Patience < 0:
		return fmt.Errorf("--%s is %d: expected 0 or more", patienceFlag, l.early.Patience)
	}
	return nil
}

// options are the limits and the rule of early stopping.
func (l *limits) options() []trainer.Option {
	limits := trainer.Limits{Steps: l.steps}
	if l.time > 0 {
		limits.Until = l.began.Add(l.time)
	}
	return []trainer.Option{trainer.Limited(limits), trainer.StopEarly(l.early)}
}
