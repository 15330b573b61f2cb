package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

// Difference is something in which runs differ: a key of the configuration, a circumstance or a
// result, with its value in each run; "" where a run has none.
type Difference struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Comparison is in what runs differ.
type Comparison struct {
	Runs          []string     `json:"runs"`          // their directories
	Configuration []Difference `json:"configuration"` // keys with different values
	Circumstances []Difference `json:"circumstances"` // of versions and machines
	Results       []Difference `json:"results"`       // all that any of them has
}

// Compare says in what the runs in dirs differ, and gives all their results.
func Compare(dirs []string) (*Comparison, error) {
	c := &Comparison{Runs: dirs}
	var keys, circumstances, results [][]Difference
	for _, dir := range dirs {
		stored, err := Open(dir)
		if err != nil {
			return nil, err
		}
		info, err := ReadInfo(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		o := Overlook(dir)
		if o.Problem != "" {
			return nil, fmt.Errorf("%s: %s", dir, o.Problem)
		}
		var own []Difference
		for _, key := range stored.Config.Keys() {
			own = append(own, one(key.Name, key.String()))
		}
		keys = append(keys, own)
		circumstances = append(circumstances, info.circumstances())
		results = append(results, o.Results())
	}
	c.Configuration = differing(merge(keys))
	c.Circumstances = differing(merge(circumstances))
	c.Results = slices.DeleteFunc(merge(results), func(d Difference) bool {
		return !slices.ContainsFunc(d.Values, func(v string) bool { return v != "" })
	})
	return c, nil
}

func one(name, value string) Difference { return Difference{name, []string{value}} }

// merge makes the same list of every run one list with the values of all.
func merge(lists [][]Difference) []Difference {
	merged := make([]Difference, len(lists[0]))
	for i := range merged {
		merged[i].Name = lists[0][i].Name
		for _, list := range lists {
			merged[i].Values = append(merged[i].Values, list[i].Values...)
		}
	}
	return merged
}

// differing leaves out what is the same in all runs.
func differing(all []Difference) []Difference {
	return slices.DeleteFunc(all, func(d Difference) bool {
		return len(slices.Compact(slices.Clone(d.Values))) == 1
	})
}

// circumstances are what is not in the configuration.
func (i Info) circumstances() []Difference {
	return []Difference{
		one("version", i.Version), one("platform", i.Platform), one("cpu", i.CPU),
		one("kernel path", i.KernelPath), one("BLAS", i.BLAS.Library),
		one("BLAS core", i.BLAS.Core), one("data fingerprint", i.Fingerprint),
	}
}

// Results are what the run has come to, one value each; "" where there is none.
func (o Overview) Results() []Difference {
	started := ""
	if !o.Started.IsZero() {
		started = o.Started.UTC().Format("2006-01-02 15:04 UTC")
	}
	return []Difference{
		one("status", o.Status), one("started", started), one("epochs done", strconv.Itoa(o.Epoch)),
		one("steps", strconv.Itoa(o.Step)), one("time", duration(o.Seconds)),
		one("reconstruction MSE", number(o.ReconMSE)), one("held-out MSE", number(o.HeldOutMSE)),
		one("PCA-64 FD", number(o.PCA64FD)), one("share of the peak", o.share()),
		one("longest phases", o.phases()), one("prior loss by lambda", o.levels()),
		one("tags", strings.Join(o.Tags, " ")),
	}
}

// number writes four digits; "" of what is not known.
func number(v record.Number) string {
	if v != v {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', 4, 64)
}

func duration(seconds record.Number) string {
	if !seconds.Finite() {
		return ""
	}
	d := time.Duration(float64(seconds) * float64(time.Second))
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// share is the share of the machine's peak that the products reach.
func (o Overview) share() string {
	if o.cost.Share() == 0 {
		return ""
	}
	return fmt.Sprintf("%.2g %% of %s", 100*o.cost.Share(),
		humanize.SIWithDigits(o.cost.Peak, 1, "FLOP/s"))
}

// phases are those that take most of the workers' time.
func (o Overview) phases() string {
	all := slices.SortedFunc(maps.Keys(o.cost.Phases), func(a, b string) int {
		return cmp.Or(cmp.Compare(o.cost.Phases[b], o.cost.Phases[a]), cmp.Compare(a, b))
	})
	whole := o.cost.Busy()
	for i, name := range all {
		all[i] = fmt.Sprintf("%s %.0f %%", name, 100*o.cost.Phases[name]/whole)
	}
	const shown = 4
	return strings.Join(all[:min(shown, len(all))], ", ")
}

// levels are the prior losses from the least logSNR to the largest.
func (o Overview) levels() string {
	if o.priorLevels == nil {
		return ""
	}
	var all []string
	for _, loss := range o.priorLevels.Loss {
		all = append(all, fmt.Sprintf("%.3g", float64(loss)))
	}
	return fmt.Sprintf("%s (lambda %g to %g)", strings.Join(all, " "),
		float64(o.priorLevels.Min), float64(o.priorLevels.Max))
}

// FromDefaults returns the keys of the run in dir that have other values than the defaults of its
// method on data of its shape: the run's value, then the default.
func FromDefaults(dir string) ([]Difference, error) {
	stored, err := Open(dir)
	if err != nil {
		return nil, err
	}
	c := stored.Config
	standard, err := method.DefaultFor(c.Method)
	if err != nil {
		return nil, err
	}
	standard = standard.On(c.As, c.Likelihood)
	info, err := ReadInfo(dir)
	if err == nil {
		standard, err = method.Resolve(standard, info.Shape, func(string) bool { return false })
	} else if errors.Is(err, fs.ErrNotExist) { // it was lost
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if standard.Epochs == 0 { // the data decide, as they would have decided for this run
		standard.Epochs = c.Epochs
		if info.Read != nil {
			open := c
			open.Epochs = 0
			images := data.Training(info.Read.Images, c.Holdout)
			standard.Epochs = open.Lasting(open.CountDatapoints(images)).Epochs
		}
	}
	changed := []Difference{}
	for _, name := range c.Changed(standard) {
		changed = append(changed, Difference{name, []string{
			c.Key(name).String(), standard.Key(name).String(),
		}})
	}
	return changed, nil
}
