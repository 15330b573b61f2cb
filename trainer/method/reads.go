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
	lacks string // why a method does not read them, for errors: "which " + lacks
}

var (
	moveKeys = &keySet{[]string{
		"cloud", "cloud_dir", "dynamics", "step_size", "step_size_end", "step_schedule", "friction",
		"inner_steps", "scale_anchor", "drift_clip", "catch_up",
	}, "moves no particles"}
	noiseKeys = &keySet{[]string{"param_noise"}, "adds no noise to its parameters"}
	scoreKeys = &keySet{[]string{
		"score_width", "score_blocks", "score_features", "lambda_min", "lambda_max", "score_draws",
		"prior_weight", "score_lr",
	}, "has no diffusion prior"}
	jointKeys = &keySet{[]string{
		"prior_warmup", "prior_drift", "control_variate",
	}, "learns no diffusion prior together with the latents"}
	encoderKeys = &keySet{[]string{"encoder_widths"}, "has no encoder"}
	stageKeys   = &keySet{[]string{"prior_share"}, "fits no prior to frozen latents"}
)

var keySets = []*keySet{moveKeys, noiseKeys, scoreKeys, jointKeys, encoderKeys, stageKeys}

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

// CheckRead returns an error that names the keys that a user gave but none of the methods reads.
func CheckRead(given []config.Given, methods ...config.Method) error {
	var p config.Problems
	for _, g := range given {
		read := func(name config.Method) bool { return Reads(name, g.Key) }
		if slices.ContainsFunc(methods, read) {
			continue
		}
		readers := slices.DeleteFunc(slices.Clone(config.Methods),
			func(name config.Method) bool { return !read(name) })
		p = append(p, fmt.Errorf("%s: %s is not read by %s, which %s; leave it out, or choose a "+
			"method that reads it: %s",
			g.Where, g.Key, strings.Join(config.Names(methods), ", "), setOf(g.Key).lacks,
			strings.Join(config.Names(readers), ", ")))
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
