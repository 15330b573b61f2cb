package config

import (
	"fmt"
	"slices"
	"strings"
)

// resumable are the keys that may change when a run is resumed: its length, its costs and its
// reports. The meaning of its checkpoints depends on all others.
var resumable = []string{
	"epochs", "threads", "cloud", "cloud_dir",
	"data",   // the images may be at another place, but must have the same fingerprint
	"labels", // training does not read them, or those of the run are checked (run.Run.Classes)
	"divergence_retries", "divergence_factor",
	"solver", "solver_steps", "eval_every", "eval_samples", "checkpoint_every", "keep_checkpoints",
}

// Changed lists the keys, in the order of Keys, whose values differ between c and other.
func (c Config) Changed(other Config) []string {
	var names []string
	theirs := other.Keys()
	for i, key := range c.Keys() {
		if key.String() != theirs[i].String() {
			names = append(names, key.Name)
		}
	}
	return names
}

// CheckResume reports every key that differs between asked and c, the configuration stored with a
// run, although it may not change when a run is resumed.
func (c Config) CheckResume(asked Config) error {
	var p Problems
	for _, name := range c.Changed(asked) {
		if !slices.Contains(resumable, name) {
			p.add(name, asked.Key(name), fmt.Sprintf(
				"%s, as the run began; when it continues it may only change %s",
				c.Key(name), strings.Join(resumable, ", ")))
		}
	}
	return p.Err()
}
