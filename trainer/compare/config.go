package compare

import (
	"errors"
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

// The approximate number of curve points and of checkpoints of a run.
const (
	curvePoints = 7
	savedPoints = 20
)

// configFor returns the configuration of a contestant; the plan sets its length.
func (o Options) configFor(c Contestant) (config.Config, error) {
	base := method.DefaultFor
	if o.Base != nil {
		base = o.Base
	}
	cfg, err := base(c.Method)
	if err != nil {
		return cfg, fmt.Errorf("contestant %s: %w", c.Name, err)
	}
	cfg.Method, cfg.Epochs = c.Method, 1
	for _, own := range c.Own {
		if err := cfg.Key(own.Key).Set(own.Value); err != nil {
			return cfg, fmt.Errorf("contestant %s: %s = %s: %w", c.Name, own.Key, own.Value, err)
		}
	}
	cfg = forRun(cfg, 1, cfg.Seed)
	if err := method.Validate(cfg); err != nil {
		return cfg, fmt.Errorf("contestant %s:\n%w", c.Name, err)
	}
	return cfg, nil
}

// resolve makes the choices that the contestant's configuration leaves to the data.
func (o Options) resolve(
	c Contestant, cfg config.Config, picture data.Shape,
) (config.Config, error) {
	usual, err := method.DefaultFor(c.Method)
	if err != nil {
		return cfg, err
	}
	given := slices.Concat(FixedKeys, o.Given, usual.Changed(cfg))
	for _, own := range c.Own {
		given = append(given, own.Key)
	}
	return method.Resolve(cfg, picture, func(key string) bool {
		return slices.Contains(given, key)
	})
}

// forRun returns a contestant's configuration for one run.
func forRun(c config.Config, epochs int, seed uint64) config.Config {
	c.Epochs, c.Seed = epochs, seed
	c.EvalEvery = (epochs + curvePoints - 1) / curvePoints
	c.CheckpointEvery = config.EveryEpochs((epochs + savedPoints - 1) / savedPoints)
	c.KeepCheckpoints = 1
	return c
}

// configs returns the configurations of all contestants. No two may be equal, even under different
// names.
func (o Options) configs() ([]config.Config, error) {
	all := make([]config.Config, len(o.Contestants))
	var problems []error
	for i, c := range o.Contestants {
		var err error
		all[i], err = o.configFor(c)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for i, c := range o.Contestants {
		for j, other := range o.Contestants[:i] {
			if len(all[i].Changed(all[j])) == 0 {
				return nil, fmt.Errorf("contestants %s and %s: expected different configurations",
					other.Name, c.Name)
			}
			if c.dir() == other.dir() {
				return nil, fmt.Errorf("contestants %s and %s: expected names that differ in more "+
					"than special characters", other.Name, c.Name)
			}
		}
		if odd := unequal(all[0], all[i]); odd != "" {
			return nil, fmt.Errorf("contestant %s: %s: expected the same for all contestants",
				c.Name, odd)
		}
	}
	return all, nil
}

// unequal returns a key that all contestants must share and in which a and b differ, or "".
func unequal(a, b config.Config) string {
	for _, name := range a.Changed(b) {
		if slices.Contains(shared, name) && !slices.Contains(FixedKeys, name) {
			return name
		}
	}
	return ""
}

// shared are the keys that must be the same for all contestants (data and reports), or that the
// comparison itself sets.
var shared = []string{
	"data", "size", "gray", "holdout", "threads",
	"solver", "solver_steps", "eval_samples",
	"method", "seed", "epochs", "eval_every", "checkpoint_every", "keep_checkpoints",
}

// FixedKeys are the keys that the comparison itself sets in every run: the method, the length of a
// run, and when it reports and saves.
var FixedKeys = []string{"method", "epochs", "eval_every", "checkpoint_every", "keep_checkpoints"}

// ownKeys returns the keys that a contestant may set.
func ownKeys() []string {
	var names []string
	c := config.Common()
	for _, key := range c.Keys() {
		if !slices.Contains(shared, key.Name) {
			names = append(names, key.Name)
		}
	}
	return names
}

// values returns all keys of a configuration, as Key.Set reads them.
func values(c config.Config) map[string]string {
	m := map[string]string{}
	for _, key := range c.Keys() {
		m[key.Name] = key.String()
	}
	return m
}
