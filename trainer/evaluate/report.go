package evaluate

import (
	"encoding/json"
	"math"

	"github.com/plume-ml/plume/trainer/metric"
)

// Which way a metric is better.
const (
	Lower  = "lower"
	Higher = "higher"
)

// Metric is one number about a run. What is not known is NaN, and null in JSON.
type Metric struct {
	Name      string  // for a reader
	Key       string  // for a program; does not change
	Group     string  // of Groups
	Value     float64 // the number
	Low, High float64 // 95 % interval of its expectation at this sample count
	Floor     float64 // the same of real images at the same sample count: what no model beats but by chance
	Better    string  // Lower, Higher or "" where neither end is the good one
	Unit      string  // "" where it has none
	Note      string  // what the number is of, and what the reader must know
}

// ClassifierInfo identifies the classifier behind the FFD.
type ClassifierInfo struct {
	Seed     uint64  `json:"seed"`
	Accuracy float64 `json:"test_accuracy"` // on the labelled images it was not trained on
	Images   int     `json:"test_images"`   // how many those are
	Features int     `json:"features"`      // width of its penultimate layer
	Hash     string  `json:"sha256"`        // of its weights
}

// Report is what was measured of a run.
type Report struct {
	Run        string          `json:"run"`
	Method     string          `json:"method"`
	Data       string          `json:"data"`
	Step       int             `json:"step"` // training steps behind the weights
	Epoch      int             `json:"epoch"`
	Averaged   bool            `json:"averaged_weights"`
	TrainImage int             `json:"training_images"`
	HeldOut    int             `json:"held_out_images"`
	Samples    int             `json:"samples"`
	Solver     string          `json:"solver"`
	Steps      int             `json:"solver_steps"`
	Seed       uint64          `json:"seed"`
	Classifier *ClassifierInfo `json:"classifier,omitempty"` // nil: none was needed, or there are no labels
	Metrics    []Metric        `json:"metrics"`
	Notes      []string        `json:"notes,omitempty"` // what was not measured, and why
	Pictures   []string        `json:"pictures,omitempty"`
	Seconds    float64         `json:"seconds"`
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

// metricJSON is Metric as it is written.
type metricJSON struct {
	Key    string        `json:"key"`
	Name   string        `json:"name"`
	Group  string        `json:"group"`
	Value  metric.Number `json:"value"`
	Low    metric.Number `json:"low"`
	High   metric.Number `json:"high"`
	Floor  metric.Number `json:"floor"`
	Better string        `json:"better,omitempty"`
	Unit   string        `json:"unit,omitempty"`
	Note   string        `json:"note,omitempty"`
}

// MarshalJSON writes numbers that are not finite as null.
func (m Metric) MarshalJSON() ([]byte, error) {
	return json.Marshal(metricJSON{
		m.Key, m.Name, m.Group, metric.Number(m.Value), metric.Number(m.Low), metric.Number(m.High),
		metric.Number(m.Floor), m.Better, m.Unit, m.Note,
	})
}

// UnmarshalJSON reads what MarshalJSON writes; null and missing numbers become NaN.
func (m *Metric) UnmarshalJSON(text []byte) error {
	none := metric.Number(math.NaN())
	j := metricJSON{Value: none, Low: none, High: none, Floor: none}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*m = Metric{
		Key: j.Key, Name: j.Name, Group: j.Group, Better: j.Better, Unit: j.Unit, Note: j.Note,
		Value: float64(j.Value), Low: float64(j.Low), High: float64(j.High), Floor: float64(j.Floor),
	}
	return nil
}
