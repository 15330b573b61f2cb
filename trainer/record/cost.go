package record

import (
	"maps"
	"slices"
)

// Cost is what the steps of a run have cost, as far as its records say.
type Cost struct {
	Phases map[string]float64 // seconds of the workers, by phase; nil: unknown
	Rate   float64            // of the products, in operations per second; 0: unknown
	Peak   float64            // that multiply-adds alone reached, at best; 0: unknown

	ExchangeBytes, ExchangeSeconds float64 // of the first of several ranks; 0: there was one
	Steps                          int     // of the run
}

// Share is the share of the peak; 0: unknown.
func (c Cost) Share() float64 {
	if c.Peak == 0 {
		return 0
	}
	return c.Rate / c.Peak
}

// Busy is the seconds of the workers in all phases.
func (c Cost) Busy() (sum float64) {
	for _, name := range slices.Sorted(maps.Keys(c.Phases)) {
		sum += c.Phases[name]
	}
	return sum
}

// CostOf adds up what records say.
func CostOf(records []Epoch) (c Cost) {
	operations, seconds, before := 0.0, 0.0, 0.0
	for _, e := range records {
		for name, s := range e.PhaseSeconds {
			if c.Phases == nil {
				c.Phases = map[string]float64{}
			}
			c.Phases[name] += float64(s)
		}
		if e.ExchangeBytes != nil && e.ExchangeSeconds != nil {
			c.ExchangeBytes += float64(*e.ExchangeBytes)
			c.ExchangeSeconds += float64(*e.ExchangeSeconds)
		}
		c.Steps = max(c.Steps, e.Step)
		took := float64(e.StepSeconds) - before
		before = float64(e.StepSeconds)
		if e.ProductFLOPS > 0 && took > 0 {
			operations += float64(e.ProductFLOPS) * took
			seconds += took
		}
		if e.PeakShare > 0 {
			c.Peak = max(c.Peak, float64(e.ProductFLOPS/e.PeakShare))
		}
	}
	if seconds > 0 {
		c.Rate = operations / seconds
	}
	return c
}

// LastLevels is the newest prior loss by noise level; nil if there is none.
func LastLevels(records []Epoch) *Levels {
	for _, e := range slices.Backward(records) {
		if e.PriorByLambda != nil {
			return e.PriorByLambda
		}
	}
	return nil
}
