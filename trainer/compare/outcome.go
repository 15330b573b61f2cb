package compare

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Outcome is the result of one run so far.
type Outcome struct {
	Contestant string                   `json:"contestant"`
	Seed       uint64                   `json:"seed"`
	Dir        string                   `json:"run_dir"`
	Done       bool                     `json:"done"` // trained and evaluated
	Diverged   bool                     `json:"diverged"`
	Epochs     int                      `json:"epochs"` // done
	Values     map[string]record.Number `json:"values"` // by the keys of the columns
	Curve      []record.Epoch           `json:"curve"`  // records with an evaluation
}

// read reads the outcome and the metrics of a run from its files.
func (t task) read() (Outcome, []evaluate.Metric, error) {
	o := Outcome{Contestant: t.Name, Seed: t.seed, Dir: t.dir, Values: map[string]record.Number{}}
	var err error
	if o.Diverged, err = diverged(t.dir); err != nil {
		return o, nil, err
	}
	records, err := record.ReadLog(filepath.Join(t.dir, "metrics.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return o, nil, err
	}
	if len(records) > 0 {
		o.Epochs = records[len(records)-1].Epoch
	}
	var report evaluate.Report
	found, err := readJSON(filepath.Join(t.dir, evalFile), "the evaluation of a run", &report)
	if err != nil || !found || len(records) == 0 {
		return o, nil, err
	}
	o.Done = true
	o.add(records)
	for _, m := range report.Metrics {
		o.Values[m.Key] = m.Value
	}
	return o, report.Metrics, nil
}

// add adds the values of the records of a run.
func (o *Outcome) add(records []record.Epoch) {
	last := records[len(records)-1]
	o.Values[keyEpochs] = record.Number(last.Epoch)
	o.Values[keySteps] = record.Number(last.Step)
	o.Values[keySeconds] = last.StepSeconds
	o.Values[keyEvaluations] = last.Evaluations
	o.Values[keyTrainMSE] = last.ReconMSE
	if last.PCA64FD != nil {
		o.Values[keyTrainFD] = *last.PCA64FD
	}
	for _, r := range records {
		if r.PCA64FD != nil {
			o.Curve = append(o.Curve, r)
		}
	}
}

// diverged reports whether a run ended by divergence; one that does not exist did not.
func diverged(runDir string) (bool, error) {
	info, err := run.ReadInfo(runDir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return info.Diverged, err
}
