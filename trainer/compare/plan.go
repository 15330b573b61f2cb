package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// planFile holds the plan in the comparison's directory.
const planFile = "plan.json"

// Plan is a comparison: who runs how long, on which seeds. It is made once and never changes.
type Plan struct {
	Budget      Budget     `json:"budget"`
	Seeds       []uint64   `json:"seeds"`
	Metrics     []string   `json:"metrics"` // groups of package evaluate that are measured
	Contestants []Planning `json:"contestants"`
	Info        run.Info   `json:"info"` // of the session that made the plan
}

// Planning is the plan of one contestant's runs.
type Planning struct {
	Contestant
	Epochs      int               `json:"epochs"`
	Steps       int               `json:"steps"`       // parameter steps
	Seconds     float64           `json:"seconds"`     // that they should take
	Evaluations float64           `json:"evaluations"` // of networks
	Fits        bool              `json:"fits"`        // false where one epoch is beyond the budget, and is run all the same
	Calibration Calibration       `json:"calibration"`
	Keys        map[string]string `json:"config"` // of its first run
}

// plan turns calibrations into epochs.
func (o Options) plan(c Contestant, cfg config.Config, cal Calibration) Planning {
	p := Planning{Contestant: c, Calibration: cal, Epochs: o.Budget.Epochs, Fits: true}
	switch {
	case o.Budget.Seconds > 0:
		once, epoch := cal.seconds()
		p.Epochs, p.Fits = fit(o.Budget.Seconds, once, epoch)
	case o.Budget.Evaluations > 0:
		once, epoch := cal.evaluations()
		p.Epochs, p.Fits = fit(o.Budget.Evaluations, once, epoch)
	}
	total := func(once, epoch float64) float64 { return once + float64(p.Epochs)*epoch }
	p.Steps, p.Seconds, p.Evaluations = p.Epochs*cal.Steps, total(cal.seconds()), total(cal.evaluations())
	p.Keys = values(planned(cfg, p.Epochs, o.Seeds[0]))
	return p
}

// config is the configuration of the contestant's run with a seed.
func (p Planning) config(seed uint64) (config.Config, error) {
	c := method.Default()
	for _, key := range c.Keys() {
		value, ok := p.Keys[key.Name]
		if !ok {
			return c, fmt.Errorf("contestant %s: expected the key %s, as in every plan that this version makes", p.Name, key.Name)
		}
		if err := key.Set(value); err != nil {
			return c, fmt.Errorf("contestant %s: %s = %s: %w", p.Name, key.Name, value, err)
		}
	}
	c = planned(c, p.Epochs, seed)
	return c, method.Validate(c)
}

func (p Plan) store(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", planFile, err)
	}
	if err := file.WriteBytes(file.OS, filepath.Join(dir, planFile), append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", planFile, err)
	}
	return nil
}

// LoadPlan reads the plan of the comparison in dir; found is false where there is none.
func LoadPlan(dir string) (plan Plan, found bool, err error) {
	path := filepath.Join(dir, planFile)
	if found, err = readJSON(path, "the plan of a comparison", &plan); err != nil || !found {
		return plan, false, err
	}
	if len(plan.Contestants) == 0 || len(plan.Seeds) == 0 {
		return plan, false, fmt.Errorf("%s: expected contestants and seeds", path)
	}
	return plan, true, nil
}

// readJSON fills v from the file at path, which is to hold what expected says; found is false where
// there is no file.
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

// ErrOtherPlan is wrapped by the error of a comparison that its directory holds another one.
var ErrOtherPlan = errors.New("another comparison")

// mayChange are the keys that the sessions of a comparison need not share. Data and labels may have
// moved: the fingerprint must stay.
var mayChange = []string{"seed", "threads", "data", "labels"}

// moveData lets all runs read the data where this session was told that they are.
func (p Plan) moveData(now config.Config) {
	for _, c := range p.Contestants {
		c.Keys["data"], c.Keys["labels"] = now.Data, now.Labels
	}
}

// check reports in what the comparison that is asked for differs from the plan.
func (p Plan) check(o Options, configs []config.Config, fingerprint string) error {
	var differ []string
	add := func(what string, was, asked any) {
		if w, a := fmt.Sprint(was), fmt.Sprint(asked); w != a {
			differ = append(differ, fmt.Sprintf("%s: %s, was %s", what, a, w))
		}
	}
	add("budget", p.Budget, o.Budget)
	add("seeds", p.Seeds, o.Seeds)
	add("data fingerprint", p.Info.Fingerprint, fingerprint)
	add("metrics", p.Metrics, o.Metrics)
	add("contestants", names(p.Contestants), strings.Join(namesOf(o.Contestants), ","))
	for i, asked := range configs {
		at := slices.IndexFunc(p.Contestants, func(c Planning) bool { return c.Name == o.Contestants[i].Name })
		if at < 0 {
			continue
		}
		was, now := p.Contestants[at].Keys, values(asked)
		for _, key := range asked.Keys() {
			if !slices.Contains(Planned, key.Name) && !slices.Contains(mayChange, key.Name) {
				add(o.Contestants[i].Name+": "+key.Name, was[key.Name], now[key.Name])
			}
		}
	}
	if differ == nil {
		return nil
	}
	return fmt.Errorf("%s holds %w; with the same arguments as then it goes on, another one needs another directory:\n%s",
		o.Dir, ErrOtherPlan, strings.Join(differ, "\n"))
}

func names(all []Planning) string {
	list := make([]string, len(all))
	for i, c := range all {
		list[i] = c.Name
	}
	return strings.Join(list, ",")
}

func namesOf(all []Contestant) []string {
	list := make([]string, len(all))
	for i, c := range all {
		list[i] = c.Name
	}
	return list
}
