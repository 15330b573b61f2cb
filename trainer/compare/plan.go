package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// planFile holds the plan in the comparison's directory.
const planFile = "plan.json"

// Plan is the plan of a comparison: which contestants run for how long, with which seeds. Once
// made, it does not change.
type Plan struct {
	Budget      Budget           `json:"budget"`
	Seeds       []uint64         `json:"seeds"`
	Metrics     []string         `json:"metrics"` // groups of package evaluate that are measured
	Contestants []ContestantPlan `json:"contestants"`
	Info        run.Info         `json:"info"` // of the session that made the plan
}

// ContestantPlan is the plan of one contestant's runs.
type ContestantPlan struct {
	Contestant
	Epochs      int               `json:"epochs"`
	Steps       int               `json:"steps"`       // parameter steps
	Seconds     float64           `json:"seconds"`     // expected time of the steps
	Evaluations float64           `json:"evaluations"` // of networks
	Fits        bool              `json:"fits"`        // false: an epoch exceeds the budget
	Calibration Calibration       `json:"calibration"`
	Keys        map[string]string `json:"config"` // of its first run
}

// planFor returns the plan of a contestant, given its calibration.
func (o Options) planFor(c Contestant, cfg config.Config, cal Calibration) ContestantPlan {
	p := ContestantPlan{Contestant: c, Calibration: cal, Epochs: o.Budget.Epochs, Fits: true}
	switch {
	case o.Budget.Seconds > 0:
		once, epoch := cal.seconds()
		p.Epochs, p.Fits = fit(o.Budget.Seconds, once, epoch)
	case o.Budget.Evaluations > 0:
		once, epoch := cal.evaluations()
		p.Epochs, p.Fits = fit(o.Budget.Evaluations, once, epoch)
	}
	total := func(once, epoch float64) float64 { return once + float64(p.Epochs)*epoch }
	p.Steps = p.Epochs * cal.Steps
	p.Seconds = total(cal.seconds())
	p.Evaluations = total(cal.evaluations())
	p.Keys = values(forRun(cfg, p.Epochs, o.Seeds[0]))
	return p
}

// runConfig returns the configuration of the contestant's run with a seed.
func (p ContestantPlan) runConfig(seed uint64) (config.Config, error) {
	c := method.Default()
	for _, key := range c.Keys() {
		value, ok := p.Keys[key.Name]
		if !ok {
			return c, fmt.Errorf("contestant %s: expected the key %s, as in every plan that this "+
				"version makes", p.Name, key.Name)
		}
		if err := key.Set(value); err != nil {
			return c, fmt.Errorf("contestant %s: %s = %s: %w", p.Name, key.Name, value, err)
		}
	}
	c = forRun(c, p.Epochs, seed)
	return c, method.Validate(c)
}

func (p Plan) store(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", planFile, err)
	}
	path := filepath.Join(dir, planFile)
	if err := file.WriteBytes(file.OS, path, append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", planFile, err)
	}
	return nil
}

// loadPlan reads the plan of the comparison in dir; found is false if there is none.
func loadPlan(dir string) (plan Plan, found bool, err error) {
	path := filepath.Join(dir, planFile)
	if found, err = readJSON(path, "the plan of a comparison", &plan); err != nil || !found {
		return plan, false, err
	}
	if len(plan.Contestants) == 0 || len(plan.Seeds) == 0 {
		return plan, false, fmt.Errorf("%s: expected contestants and seeds", path)
	}
	return plan, true, nil
}

// readJSON reads the file at path into v; expected describes its content for errors. found is false
// if there is no such file.
func readJSON(path, expected string, v any) (found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("comparison: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return false, fmt.Errorf("%s: expected %s: %w", path, expected, err)
	}
	return true, nil
}
