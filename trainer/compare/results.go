package compare

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// SamplesFile is the picture of samples side by side, in the comparison's directory.
const SamplesFile = "samples.png"

// comparison is one call of Run under way.
type comparison struct {
	Options
	plan  Plan
	total int
	mu    sync.Mutex // of the files in Dir

	count    sync.Mutex
	training int // runs in training
}

// inTraining adds to the number of runs in training, and tells it.
func (c *comparison) inTraining(runs int) {
	c.count.Lock()
	defer c.count.Unlock()
	c.training += runs
	c.Training(c.training)
}

// Outcome is what is known of one run.
type Outcome struct {
	Contestant string                   `json:"contestant"`
	Seed       uint64                   `json:"seed"`
	Dir        string                   `json:"run_dir"`
	Done       bool                     `json:"done"` // trained and evaluated
	Diverged   bool                     `json:"diverged"`
	Epochs     int                      `json:"epochs"` // that it trained
	Values     map[string]record.Number `json:"values"` // by the keys of the columns
	Curve      []record.Epoch           `json:"curve"`  // records with an evaluation
}

// read collects what the files say of a run.
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

// add takes over what the records of a training say.
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

// Collect reads from the comparison's directory what is known so far.
func Collect(dir string, plan Plan) (*Results, error) {
	r := &Results{Plan: plan}
	for _, t := range plan.tasks(dir) {
		o, metrics, err := t.read()
		if err != nil {
			return nil, err
		}
		r.Runs = append(r.Runs, o)
		r.columns(metrics)
	}
	r.aggregate()
	return r, nil
}

// report writes the tables of what there is.
func (c *comparison) report() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := Collect(c.Dir, c.plan)
	if err != nil {
		return err
	}
	return r.WriteTables(c.Dir)
}

// finish writes tables, plots and samples of what there is. Once ctx has ended there are no samples:
// for them it would read data and models again.
func (c *comparison) finish(ctx context.Context) (*Results, error) {
	r, err := Collect(c.Dir, c.plan)
	if err == nil {
		err = errors.Join(r.WriteTables(c.Dir), r.WritePlots(c.Dir))
	}
	if err == nil && ctx.Err() == nil {
		err = r.WriteSamples(ctx, filepath.Join(c.Dir, SamplesFile))
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = ErrInterrupted
	}
	return r, err
}
