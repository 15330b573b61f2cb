package compare

import (
	"context"
	"time"

	"github.com/plume-ml/plume/trainer/config"
)

// Calibration is the measured cost of an epoch of a contestant.
type Calibration struct {
	Share       float64 `json:"share"`       // of the epochs, at the late cost
	Seconds     Cost    `json:"seconds"`     // of the steps of an epoch
	Evaluations Cost    `json:"evaluations"` // of an epoch
	Steps       int     `json:"steps"`       // parameter steps of an epoch
}

func (c Calibration) seconds() (once, epoch float64) {
	return c.Seconds.Once, c.Seconds.epoch(c.Share)
}

func (c Calibration) evaluations() (once, epoch float64) {
	return c.Evaluations.Once, c.Evaluations.epoch(c.Share)
}

// Cost is the cost of an epoch, in seconds or in evaluations. A method with two stages spends the
// last share of a run in the second stage, where an epoch has another cost, and pays a one-off cost
// for beginning it.
type Cost struct {
	Early float64 `json:"early"`
	Late  float64 `json:"late"`
	Once  float64 `json:"once"`
}

// epoch returns the mean over a run, up to the rounding of the stages to whole steps.
func (c Cost) epoch(share float64) float64 { return (1-share)*c.Early + share*c.Late }

// calibrate measures what an epoch of each contestant costs.
func (b *calibrator) calibrate(
	ctx context.Context, configs []config.Config, report func(string),
) ([]Calibration, error) {
	probes := make([][2]*probe, len(configs))
	for i, c := range configs {
		for j, progress := range []float64{0, late} {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			var err error
			if probes[i][j], err = b.probe(c, progress); err != nil {
				return nil, err
			}
		}
	}
	report("Timing the contestants' steps")
	if err := b.rounds(ctx, probes); err != nil {
		return nil, err
	}
	all := make([]Calibration, len(configs))
	for i, pair := range probes {
		first, second := pair[0], pair[1]
		all[i] = Calibration{
			Share: configs[i].PriorShare, Steps: first.batches.PerEpoch() * first.repeats,
			Seconds:     Cost{first.seconds(), second.seconds(), second.onceSeconds()},
			Evaluations: Cost{first.evaluated(), second.evaluated(), second.onceEvaluations()},
		}
	}
	return all, nil
}

// The number of timing rounds is what fits timingTime, within these limits. Each round times all
// contestants in turn, so that a temporary slowdown of the machine affects all of them. The first
// round does not count.
const (
	minRounds, maxRounds = 8, 64
	timingTime           = 20 * time.Second
)

// rounds runs all rounds of all probes.
func (b *calibrator) rounds(ctx context.Context, probes [][2]*probe) error {
	began := b.clock()
	more := func(round int) bool {
		return round < minRounds || round < maxRounds && b.clock().Sub(began) < timingTime
	}
	for round := 0; more(round); round++ {
		for _, pair := range probes {
			for _, p := range pair {
				if err := b.round(ctx, p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
