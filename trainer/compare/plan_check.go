package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
)

// ErrOtherPlan is wrapped by the error for a directory that holds another comparison.
var ErrOtherPlan = errors.New("another comparison")

// mayChange are the keys that may differ between the sessions of a comparison. Data and labels may
// be at another place, but must have the same fingerprint.
var mayChange = []string{"seed", "threads", "data", "labels"}

// moveData sets the paths of the data to those of this session.
func (p Plan) moveData(now config.Config) {
	for _, c := range p.Contestants {
		c.Keys["data"], c.Keys["labels"] = now.Data, now.Labels
	}
}

// check returns an error that lists how the requested comparison differs from the plan.
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
		at := slices.IndexFunc(p.Contestants, func(c ContestantPlan) bool {
			return c.Name == o.Contestants[i].Name
		})
		if at < 0 {
			continue
		}
		was, now := p.Contestants[at].Keys, values(asked)
		for _, key := range asked.Keys() {
			if !slices.Contains(FixedKeys, key.Name) && !slices.Contains(mayChange, key.Name) {
				add(o.Contestants[i].Name+": "+key.Name, was[key.Name], now[key.Name])
			}
		}
	}
	if differ == nil {
		return nil
	}
	return fmt.Errorf("%s holds %w; with the same arguments as then it goes on, another one "+
		"needs another directory:\n%s", o.Dir, ErrOtherPlan, strings.Join(differ, "\n"))
}

func names(all []ContestantPlan) string {
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
