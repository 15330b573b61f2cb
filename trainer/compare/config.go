package compare

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

// The approximate number of curve points and of checkpoints of a run.
const (
	curvePoints = 7
	savedPoints = 20
)

// configFor returns the configuration of a contestant before it is known which networks suit the
// data; the plan sets its length.
func (o Options) configFor(c Contestant) (config.Config, error) {
	base := method.DefaultFor
	if o.Base != nil {
		base = o.Base
	}
	cfg, err := base(c.Method)
	if err == nil && c.Like != "" {
		var like config.Config
		if like, err = base(c.Like); err == nil {
			c.follow(&cfg, like)
		}
	}
	if err != nil {
		return cfg, fmt.Errorf("contestant %s: %w", c.Name, err)
	}
	cfg.Method, cfg.Epochs = c.Method, 1
	for _, own := range c.Own {
		if _, relative := own.multiple(); relative {
			continue
		}
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

// follow gives cfg the values of another configuration in the keys that the method reads.
func (c Contestant) follow(cfg *config.Config, other config.Config) {
	for _, name := range cfg.Changed(other) {
		if name == "method" || !method.Reads(c.Method, name) {
			continue
		}
		if err := cfg.Key(name).Set(other.Key(name).String()); err != nil {
			panic("compare: a value that is no value")
		}
	}
}

// usual is the contestant's configuration without base and keys of its own.
func (c Contestant) usual() (config.Config, error) {
	cfg, err := method.DefaultFor(c.Method)
	if err == nil && c.Like != "" {
		var like config.Config
		if like, err = method.DefaultFor(c.Like); err == nil {
			c.follow(&cfg, like)
		}
	}
	return cfg, err
}

// resolve makes the choices that the contestant's configuration leaves to the data, and then
// multiplies.
func (o Options) resolve(
	c Contestant, cfg config.Config, all data.Dataset,
) (config.Config, error) {
	rows := data.Training(all.Len(), cfg.Holdout)
	usual, err := c.usual()
	if err != nil {
		return cfg, err
	}
	given := slices.Concat(FixedKeys, o.Given, usual.Changed(cfg))
	var relative []Own
	for _, own := range c.Own {
		if _, ok := own.multiple(); ok {
			relative = append(relative, own)
		} else {
			given = append(given, own.Key)
		}
	}
	isGiven := func(key string) bool { return slices.Contains(given, key) }
	suited := func(cfg config.Config) (config.Config, error) {
		resolved, err := method.Resolve(cfg, all.Shape(), isGiven)
		if err != nil {
			return resolved, err
		}
		return method.Suited(resolved, cfg, rows, isGiven), nil
	}
	resolved, err := suited(cfg)
	if err != nil || len(relative) == 0 {
		return resolved, err
	}
	for _, own := range relative {
		factor, _ := own.multiple()
		value, err := strconv.ParseFloat(resolved.Key(own.Key).String(), 64)
		if err != nil {
			return cfg, err
		}
		text := strconv.FormatFloat(factor*value, 'g', 12, 64) // 3 * 0.1 is 0.3
		if err := cfg.Key(own.Key).Set(text); err != nil {
			return cfg, err
		}
		given = append(given, own.Key)
	}
	return suited(cfg)
}

// forRun returns a contestant's configuration for one run.
func forRun(c config.Config, epochs int, seed uint64) config.Config {
	c.Epochs, c.Seed = epochs, seed
	c.EvalEvery = (epochs + curvePoints - 1) / curvePoints
	c.CheckpointEvery = config.EveryEpochs((epochs + savedPoints - 1) / savedPoints)
	c.KeepCheckpoints = 1
	return c
}

// configs returns the configurations of all contestants, as configFor makes them.
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
		for _, other := range o.Contestants[:i] {
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

// checkDistinct refuses contestants whose configurations, which are resolved, are equal under
// different names.
func (o Options) checkDistinct(all []config.Config) error {
	for i, c := range o.Contestants {
		for j, other := range o.Contestants[:i] {
			if len(all[i].Changed(all[j])) == 0 {
				return fmt.Errorf("contestants %s and %s: expected different configurations, "+
					"got equal ones on these data", other.Name, c.Name)
			}
		}
	}
	return nil
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
