package config

import (
	"fmt"
	"slices"
	"strings"
)

// resumable are the keys that may change when a run continues: how long it goes on, and what
// it costs and reports on the way. All others are part of what its checkpoints mean.
var resumable = []string{
	"epochs", "threads", "cloud", "cloud_dir",
	"data",   // the images may have moved: their fingerprint must stay
	"labels", // so may these, which no training reads
	"divergence_retries", "divergence_factor",
	"solver", "solver_steps", "eval_every", "eval_samples", "checkpoint_every", "keep_checkpoints",
}

// Changed lists the keys, in the table's order, whose values differ between c and other.
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

// CheckResume reports every key in which asked differs from c, the configuration stored with
// a run, although a run cannot change it when it continues.
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
