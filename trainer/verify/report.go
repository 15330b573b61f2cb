package verify

import "github.com/plume-ml/plume/trainer/verify/lab"

// Report is what a run of the experiments found. It depends on the options, but not on the number
// of threads.
type Report struct {
	Version  string       `json:"version,omitempty"` // of the program; for the caller to fill in
	Seconds  float64      `json:"seconds,omitempty"` // of the run; for the caller to fill in
	Seed     uint64       `json:"seed"`
	Thorough bool         `json:"thorough"`
	Checks   []lab.Check  `json:"checks"`
	Figures  []lab.Figure `json:"-"`
}

// Failed returns the checks that did not pass.
func (r *Report) Failed() (failed []lab.Check) {
	for _, c := range r.Checks {
		if c.Verdict != lab.OK {
			failed = append(failed, c)
		}
	}
	return failed
}
