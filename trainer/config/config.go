// Package config is the configuration of a run.
//
// A Config has a field for each key; Options are those of the networks, the particles and the
// optimiser. Each Key is declared in one place, with its name, default, range, help, group and
// choices. It can be set by a TOML file (LoadFile), an environment variable (LoadEnv) and a flag
// (Key has the methods of a flag's value).
//
// Common returns the defaults of most methods; method.DefaultFor those of each. Package method also
// knows which keys a method reads (method.CheckRead) and what it does not allow (method.Validate).
//
// To add a key, add a field to Config or Options, and declare its key in the file of its group:
// data.go, run.go, networks.go, particles.go, optimizer.go or reports.go. If not every method reads
// it, add it to a set in package method (reads.go). Flags, files, environment variables and help
// follow from the declaration.
package config

import (
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
)

// Config configures a run: its data, training and reports. The keys of the same names (Config.Keys)
// describe each field, with its unit, range and default.
type Config struct {
	// Data.
	Data       string
	As         data.Kind
	Length     int     // of signals, in samples; 0: whole
	SampleRate float64 // of signals, per second; 0: unknown
	Size       int
	Gray       bool
	Array      string
	Range      string
	Labels     string
	Schema     string
	SkipBroken bool
	Holdout    float64
	Flip       bool
	Missing    bool

	// Run.
	Method            Method
	Seed              uint64
	Epochs            int
	Batch             int // B
	Tile              int
	Wave              int
	Lanes             int
	Threads           int
	Cloud             Cloud
	CloudDir          string
	DivergenceRetries int
	DivergenceFactor  float64

	Options

	// Reports.
	Solver          diffusion.Solver
	SolverSteps     int
	EvalEvery       int
	EvalSamples     int
	CheckpointEvery Every
	KeepCheckpoints int
}

// Common returns the defaults of the keys. Some methods have other defaults: see method.DefaultFor.
func Common() (c Config) {
	for _, key := range c.Keys() {
		key.reset()
	}
	return c
}

// Keys returns the keys of c in the order in which help and files list them. They point into c.
func (c *Config) Keys() []Key {
	return slices.Concat(c.dataKeys(), c.runKeys(), c.Options.keys(), c.reportKeys())
}

// Key returns the key of that name, which must exist.
func (c *Config) Key(name string) Key {
	for _, key := range c.Keys() {
		if key.Name == name {
			return key
		}
	}
	panic("config: no such key")
}

// Validate reports every value that is out of range and every contradictory combination, one "key =
// value: expected ..." per line, or nil. method.Validate also reports what the method does not
// allow.
func (c Config) Validate() error {
	var p Problems
	for _, key := range slices.Concat(c.dataKeys(), c.runKeys()) {
		key.check(&p)
	}
	p = append(p, c.Options.Validate()...)
	if c.Batch > 0 && c.Particles > 0 {
		rows := float64(c.Batch) * float64(c.Particles) * float64(c.ScoreDraws)
		p.Expect(rows <= maxRows, "batch * particles * score_draws", rows,
			fmt.Sprintf("at most %d rows", maxRows))
	}
	p.Expect(c.Lanes <= 1 || c.Batch >= 2*c.Lanes, "lanes", c.Lanes, fmt.Sprintf(
		"at most %d, half of batch = %d: a lane needs two datapoints of each minibatch", c.Batch/2,
		c.Batch))
	for _, key := range c.reportKeys() {
		key.check(&p)
	}
	return p.Err()
}
