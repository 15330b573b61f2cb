package verify

import (
	"encoding/json"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/record"
)

// Verdicts of a check.
const (
	OK   = "ok"
	Fail = "FAIL"
)

// Check is one measured number beside what it must be.
type Check struct {
	Section   string  // of ALGORITHM.md
	Quantity  string  // what was measured
	Exact     float64 // the closed form; NaN where there are only bounds
	Measured  float64
	SE        float64 // standard error of Measured; 0 where it has none
	Low, High float64 // Measured is accepted from Low to High
	Verdict   string  // OK or Fail
	Note      string
}

// MarshalJSON writes numbers that JSON does not have, such as an absent bound, as null.
func (c Check) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Section  string        `json:"section"`
		Quantity string        `json:"quantity"`
		Exact    record.Number `json:"exact"`
		Measured record.Number `json:"measured"`
		SE       record.Number `json:"standard_error"`
		Low      record.Number `json:"low"`
		High     record.Number `json:"high"`
		Verdict  string        `json:"verdict"`
		Note     string        `json:"note,omitempty"`
	}{c.Section, c.Quantity, record.Number(c.Exact), record.Number(c.Measured), record.Number(c.SE), record.Number(c.Low), record.Number(c.High), c.Verdict, c.Note})
}

// NamedFigure is a diagram and the name of its file, without the ending.
type NamedFigure struct {
	Name string
	Plot figure.Plot
}

// Report is what a run of the experiments found; it depends on the options, but not on the number of
// threads.
type Report struct {
	Version  string        `json:"version,omitempty"` // of the program, and how long it took: for the caller to fill
	Seconds  float64       `json:"seconds,omitempty"`
	Seed     uint64        `json:"seed"`
	Thorough bool          `json:"thorough"`
	Checks   []Check       `json:"checks"`
	Figures  []NamedFigure `json:"-"`
}

// Failed are the checks that did not pass.
func (r *Report) Failed() (failed []Check) {
	for _, c := range r.Checks {
		if c.Verdict != OK {
			failed = append(failed, c)
		}
	}
	return failed
}
