package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
)

// keySet is a set of configuration keys that not all methods read. A spec lists the sets that its
// method reads. Keys in none of the sets are read by all methods.
type keySet struct {
	names []string
	// Why a method, or several, do not read them, for errors: "which " + lacks.
	lacks, lack string
}

var (
	moveKeys = &keySet{[]string{
		"cloud", "cloud_dir", "dynamics", "step_size", "step_size_end", "step_schedule", "friction",
		"inner_steps", "scale_anchor", "drift_clip", "catch_up",
	}, "moves no particles", "move no particles"}
	startKeys = &keySet{
		[]string{"cloud_init"},
		"keeps no particles from step to step", "keep no particles from step to step",
	}
	noiseKeys = &keySet{
		[]string{"param_noise"},
		"adds no noise to its parameters", "add no noise to their parameters",
	}
	scoreKeys = &keySet{[]string{
		"score", "score_width", "score_blocks", "unet_channels", "unet_blocks", "score_heads",
		"score_features", "lambda_min", "lambda_max", "score_draws",
		"prior_weight", "prior_levels", "score_lr",
	}, "has no diffusion prior", "have no diffusion prior"}
	jointKeys = &keySet{[]string{
		"prior_warmup", "prior_drift", "control_variate",
	}, "learns no diffusion prior together with the latents",
		"learn no diffusion prior together with the latents"}
	encoderKeys = &keySet{
		[]string{"encoder", "encoder_widths", "encoder_channels"},
		"has no encoder", "have no encoder",
	}
	stageKeys = &keySet{
		[]string{"prior_share"},
		"fits no prior to frozen latents", "fit no prior to frozen latents",
	}
	solverKeys = &keySet{
		[]string{"solver", "solver_steps"},
		"samples its prior N(0, I) directly", "sample their prior N(0, I) directly",
	}
)

var keySets = []*keySet{
	moveKeys, startKeys, noiseKeys, scoreKeys, jointKeys, encoderKeys, stageKeys, solverKeys,
}

// setOf returns the set that holds the key, nil for a key that all methods read.
func setOf(key string) *keySet {
	i := slices.IndexFunc(keySets, func(s *keySet) bool { return slices.Contains(s.names, key) })
	if i < 0 {
		return nil
	}
	return keySets[i]
}

// Reads reports whether the named method reads a key of the configuration. It panics if there is no
// such method.
func Reads(name config.Method, key string) bool {
	m, err := find(name)
	if err != nil {
		panic("method: no such method")
	}
	set := setOf(key)
	return set == nil || slices.Contains(m.reads, set)
}

// Unread returns the keys that a user gave but none of the methods reads.
func Unread(given []config.Given, methods ...config.Method) []config.Given {
	return slices.DeleteFunc(slices.Clone(given), func(g config.Given) bool {
		read := func(name config.Method) bool { return Reads(name, g.Key) }
		return slices.ContainsFunc(methods, read)
	})
}

// CheckRead returns an error that names the keys that a user gave but none of the methods reads.
func CheckRead(given []config.Given, methods ...config.Method) error {
	var p config.Problems
	for _, g := range Unread(given, methods...) {
		readers := slices.DeleteFunc(slices.Clone(config.Methods),
			func(name config.Method) bool { return !Reads(name, g.Key) })
		p = append(p, fmt.Errorf("%w, or choose a method that reads it: %s",
			unread(g, methods), strings.Join(config.Names(readers), ", ")))
	}
	return p.Err()
}

// CheckUnread returns an error that names the keys of a configuration that its method does not
// read, if they have other values than the method's defaults.
func CheckUnread(c config.Config) error {
	base, err := DefaultFor(c.Method)
	if err != nil {
		return err
	}
	var changed []config.Given
	for _, key := range c.Keys() {
		if !Reads(c.Method, key.Name) && key.String() != base.Key(key.Name).String() {
			changed = append(changed, config.Given{Key: key.Name, Where: "configuration"})
		}
	}
	if err := CheckRead(changed, c.Method); err != nil {
		return fmt.Errorf("%w (method.DefaultFor(%q) leaves them at their defaults)", err, c.Method)
	}
	return nil
}

// CheckStored is CheckRead for a stored run, whose method cannot be changed.
func CheckStored(given []config.Given, name config.Method) error {
	var p config.Problems
	for _, g := range Unread(given, name) {
		p = append(p, unread(g, []config.Method{name}))
	}
	return p.Err()
}

// unread is the error for a key that none of the methods reads.
func unread(g config.Given, methods []config.Method) error {
	set, names := setOf(g.Key), config.Names(methods)
	why, list := set.lacks, names[0]
	if last := len(names) - 1; last > 0 {
		why, list = set.lack, strings.Join(names[:last], ", ")+" and "+names[last]
	}
	return fmt.Errorf("%s: %s is not read by %s, which %s; leave it out", g.Where, g.Key, list, why)
}
