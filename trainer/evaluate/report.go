package evaluate

import (
	"encoding/json"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/record"
)

// Directions in which a metric improves.
const (
	Lower  = "lower"
	Higher = "higher"
)

// Metric is one number about a run. Unknown values are NaN.
type Metric struct {
	Key   string        `json:"key"`   // for programs; stays the same
	Name  string        `json:"name"`  // for readers
	Group string        `json:"group"` // one of Groups
	Value record.Number `json:"value"`
	Low   record.Number `json:"low"`  // Low to High: 95 % interval of its expectation at this
	High  record.Number `json:"high"` // number of samples

	// Floor is the value for real images at the same number of samples. A model is better only by
	// chance.
	Floor record.Number `json:"floor"`

	Better string `json:"better,omitempty"` // Lower, Higher, or "" if neither is better
	Unit   string `json:"unit,omitempty"`   // "" if it has none
	Note   string `json:"note,omitempty"`   // what was measured, and what the reader must know
}

// measured returns m with its numbers: an estimate with its interval, and the floor.
func (m Metric) measured(v metric.Estimate, floor float64) Metric {
	m.Value = record.Number(v.Value)
	m.Low = record.Number(v.Low)
	m.High = record.Number(v.High)
	m.Floor = record.Number(floor)
	return m
}

// UnmarshalJSON implements json.Unmarshaler; missing numbers become NaN.
func (m *Metric) UnmarshalJSON(text []byte) error {
	type plain Metric // without methods
	none := record.Number(math.NaN())
	p := plain{Value: none, Low: none, High: none, Floor: none}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*m = Metric(p)
	return nil
}

// ClassifierInfo identifies the classifier behind the FFD.
type ClassifierInfo struct {
	Network  string  `json:"network"`    // its kind
	Weights  int     `json:"parameters"` // their number
	Seed     uint64  `json:"seed"`
	Accuracy float64 `json:"test_accuracy"` // on labelled images held out of its training
	Images   int     `json:"test_images"`   // number of those images
	Features int     `json:"features"`      // width of its penultimate layer
	Hash     string  `json:"sha256"`        // of its weights
}

// Report is the result of an evaluation.
type Report struct {
	Run        string           `json:"run"`
	Method     string           `json:"method"`
	Data       string           `json:"data"`
	Kind       data.Kind        `json:"kind,omitempty"`
	Step       int              `json:"step"` // training steps behind the weights
	Epoch      int              `json:"epoch"`
	Averaged   bool             `json:"averaged_weights"`
	TrainImage int              `json:"training_images"`
	HeldOut    int              `json:"held_out_images"`
	Samples    int              `json:"samples"`
	Solver     diffusion.Solver `json:"solver,omitempty"` // "": they need none
	Steps      int              `json:"solver_steps,omitempty"`
	Seed       uint64           `json:"seed"`
	Guidance   float64          `json:"guidance,omitempty"`
	Classifier *ClassifierInfo  `json:"classifier,omitempty"` // nil: not needed, or no labels
	Metrics    []Metric         `json:"metrics"`
	Classes    []ClassReport    `json:"classes,omitempty"` // of a model with classes
	Columns    []ColumnReport   `json:"columns,omitempty"` // of a table
	Notes      []string         `json:"notes,omitempty"`   // what was not measured, and why
	Pictures   []string         `json:"pictures,omitempty"`
	Seconds    float64          `json:"seconds"`
}

// Metric returns the metric with that key.
func (r *Report) Metric(key string) (m Metric, ok bool) {
	for _, m := range r.Metrics {
		if m.Key == key {
			return m, true
		}
	}
	return Metric{}, false
}
