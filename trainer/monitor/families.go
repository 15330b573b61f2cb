package monitor

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/VictoriaMetrics/metrics"

	"github.com/plume-ml/plume/trainer/record"
)

// family is gauges of one name, told apart by a label.
type family struct {
	gauge
	label  string
	values func(*record.Epoch) []labelled
}

type labelled struct {
	value string // of the label
	n     record.Number
}

// families are the lists of numbers of the newest record.
var families = []family{
	{
		gauge{name: "plume_phase_seconds", unit: "seconds",
			help: "Time of the workers in the steps of the newest epoch, by phase."},
		"phase", func(e *record.Epoch) (all []labelled) {
			for _, name := range slices.Sorted(maps.Keys(e.PhaseSeconds)) {
				all = append(all, labelled{name, e.PhaseSeconds[name]})
			}
			return all
		},
	},
	byLambda("plume_prior_loss_by_lambda_nats",
		"Prior loss per latent dimension, by the lowest logSNR of a part of the range.",
		func(l *record.Levels) []record.Number { return l.Loss }),
	byLambda("plume_prior_unlearned_by_lambda_nats",
		"What the prior loss would be without a score network.",
		func(l *record.Levels) []record.Number { return l.Unlearned }),
}

// byLambda is a family by noise level.
func byLambda(name, help string, of func(*record.Levels) []record.Number) family {
	return family{
		gauge{name: name, help: help, unit: "nats"}, "lambda",
		func(e *record.Epoch) (all []labelled) {
			if e.PriorByLambda == nil {
				return nil
			}
			for i, n := range of(e.PriorByLambda) {
				lo, _ := e.PriorByLambda.Part(i)
				all = append(all, labelled{fmt.Sprintf("%g", lo), n})
			}
			return all
		},
	}
}

// write writes what is known of a family.
func (f family) write(b *bytes.Buffer, e *record.Epoch) {
	known := slices.DeleteFunc(f.values(e), func(l labelled) bool {
		return math.IsNaN(float64(l.n))
	})
	if len(known) == 0 {
		return
	}
	f.head(b)
	for _, l := range known {
		metrics.WriteGaugeFloat64(b, label(f.name, f.label, l.value), float64(l.n))
	}
}
