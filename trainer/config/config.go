// Package config is the configuration of a run: its keys, which files, environment variables and
// flags set, and what their values may be.
package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
)

// Config is everything that decides a run's result, plus what only decides its reports. Each
// field is at once a key of the configuration file (its toml tag), a flag of the command and
// an environment variable; Keys is the one table behind all three.
type Config struct {
	// Data.
	Data       string  `toml:"data" group:"Data" help:"fashion10k, digits, or a path: pictures in a directory, .zip or .tar; IDX file or directory; .npy, .npz; batches of CIFAR"`
	Size       int     `toml:"size" help:"side in pixels to which pictures are scaled (0: as they are)"`
	Gray       bool    `toml:"gray" help:"convert pictures to one channel"`
	Array      string  `toml:"array" help:"the array of an .npz archive that holds the images (default: its only one)"`
	Range      string  `toml:"range" help:"LO,HI: the stored values that stand for black and white; default by type: 0,255 for bytes, 0,65535 for uint16, -1,1 for floats"`
	Labels     string  `toml:"labels" help:"file of labels: CSV, JSON, .npy or IDX (default: those that come with the images, or their folders)"`
	SkipBroken bool    `toml:"skip_broken" help:"leave out pictures that cannot be read, instead of refusing the data"`
	Holdout    float64 `toml:"holdout" help:"share of the images held out of training, in [0, 1)"`

	// Run.
	Method  string `toml:"method" group:"Run" help:"training method" choices:"ipld,pgd,pgd+diffusion,mpgd,ipla,soul,shortrun,abp,vae,vae+diffusion,two-stage"`
	Seed    uint64 `toml:"seed" help:"seed of every random number of the run"`
	Epochs  int    `toml:"epochs" help:"passes over the training images"`
	Batch   int    `toml:"batch" help:"datapoints B per minibatch"`
	Tile    int    `toml:"tile" help:"most rows that one worker takes through the networks at a time; with OpenBLAS part of the result's bits"`
	Threads int    `toml:"threads" help:"worker threads (0: all cores); never changes the result"`

	Cloud    string `toml:"cloud" help:"where the particles lie: in memory, or in a file, for more of them than the memory holds; never changes the result" choices:"memory,file"`
	CloudDir string `toml:"cloud_dir" help:"directory of that file, on a fast disk (default: the run's own); the file has no name there and goes with the process"`

	DivergenceRetries int     `toml:"divergence_retries" help:"how often a run that diverges goes back to its last good state, with smaller steps (0: it ends at once)"`
	DivergenceFactor  float64 `toml:"divergence_factor" help:"what a divergence multiplies step size and learning rate by, in (0, 1)"`

	Options

	// Reports.
	Solver          string `toml:"solver" group:"Reports" help:"sampler of the reports" choices:"ancestral,ddim,dpm++2m"`
	SolverSteps     int    `toml:"solver_steps" help:"steps of that sampler (0: its default)"`
	EvalEvery       int    `toml:"eval_every" help:"epochs between sample grids and PCA-64 FD (0: only at the end)"`
	EvalSamples     int    `toml:"eval_samples" help:"samples behind the PCA-64 FD, 2 or more (0: no reports: neither samples nor distance nor pictures)"`
	CheckpointEvery Every  `toml:"checkpoint_every" help:"epochs between checkpoints (0: only at the end), or the time between them, such as 10m"`
	KeepCheckpoints int    `toml:"keep_checkpoints" help:"newest checkpoints kept (0: all)"`
}

// Common returns the defaults that methods share. It names no method: package method adds one with
// its own defaults.
func Common() Config {
	return Config{
		Data:    "fashion10k",
		Holdout: 0.1,

		Seed:   1,
		Epochs: 360,
		Batch:  500,
		Tile:   64,
		Cloud:  CloudInMemory,

		DivergenceRetries: 3,
		DivergenceFactor:  0.5,

		Options: Options{
			Latent:        32,
			ObsNoise:      0.2,
			DecoderWidths: []int{256, 512},
			EncoderWidths: []int{512, 256},
			ScoreWidth:    256,
			ScoreBlocks:   3,
			ScoreFeatures: 64,
			LambdaMin:     -10,
			LambdaMax:     10,

			Particles:    1,
			Dynamics:     "underdamped",
			StepSize:     3e-3,
			StepSizeEnd:  5e-4,
			StepSchedule: "geometric",
			Friction:     0.2,
			BatchRepeats: 1,
			InnerSteps:   1,
			ScoreDraws:   1,
			DriftClip:    0.3,
			PriorWeight:  "simple",
			PriorDrift:   "bound",

			Optimizer:  "adam",
			LR:         2e-3,
			LREnd:      0.05,
			LRSchedule: "cosine",
			ScoreLR:    1,
			PriorShare: 0.5,
			EMA:        0.999,
		},

		Solver:          "dpm++2m",
		EvalEvery:       120,
		EvalSamples:     2000,
		CheckpointEvery: EveryEpochs(40),
		KeepCheckpoints: 2,
	}
}

// Where particles can lie: values of Config.Cloud.
const (
	CloudInMemory = "memory"
	CloudInFile   = "file"
)

// Largest accepted sizes. They only keep a slip of the pen from exhausting the memory.
const (
	maxSide    = 1 << 12
	maxRows    = 1 << 20
	maxThreads = 1 << 12
	maxCount   = math.MaxInt32
	maxRetries = 1000

	maxSolverSteps = 1 << 17
)

// Validate reports every value that is out of range and every combination that contradicts
// itself, one "key = value: expected ..." per line, or nil. What the method does not allow is
// reported by package method.
func (c Config) Validate() error {
	var p Problems
	p.Choices(c)
	p.Expect(c.Data != "" && IsPlainText(c.Data), "data", c.Data,
		"the name of an embedded data set or a path in UTF-8, without control characters")
	p.Int("size", c.Size, 0, maxSide)
	p.Expect(c.Range == "" || c.valueRange() != nil, "range", c.Range,
		"LO,HI: two finite numbers, the first below the second, such as 0,1")
	p.Expect(IsPlainText(c.Array), "array", c.Array, "a name in UTF-8, without control characters")
	p.Expect(IsPlainText(c.Labels), "labels", c.Labels,
		"a path in UTF-8, without control characters")
	p.Expect(c.Holdout >= 0 && c.Holdout < 1, "holdout", c.Holdout, "a number in [0, 1)")

	p.Expect(c.Seed <= kernel.MaxSeed, "seed", c.Seed, "an integer in [0, 2^63 - 1], the largest that TOML holds")
	p.Int("epochs", c.Epochs, 1, maxCount)
	p.Int("batch", c.Batch, 1, maxRows)
	p.Int("tile", c.Tile, 1, maxRows)
	p.Int("threads", c.Threads, 0, maxThreads)
	p.Expect(IsPlainText(c.CloudDir), "cloud_dir", c.CloudDir, "a path in UTF-8, without control characters")
	p.Int("divergence_retries", c.DivergenceRetries, 0, maxRetries)
	p.Expect(c.DivergenceFactor > 0 && c.DivergenceFactor < 1, "divergence_factor", c.DivergenceFactor, "a number in (0, 1)")

	p = append(p, c.Options.Validate()...)
	if rows := float64(c.Batch) * float64(c.Particles) * float64(c.ScoreDraws); c.Batch > 0 && c.Particles > 0 {
		p.Expect(rows <= maxRows, "batch * particles * score_draws", rows, fmt.Sprintf("at most %d rows", maxRows))
	}

	p.Int("solver_steps", c.SolverSteps, 0, maxSolverSteps)
	p.Int("eval_every", c.EvalEvery, 0, maxCount)
	p.Expect(c.EvalSamples == 0 || 2 <= c.EvalSamples && c.EvalSamples <= maxRows, // a covariance needs two
		"eval_samples", c.EvalSamples, fmt.Sprintf("an integer in [2, %d], or 0 for no reports", maxRows))
	p.Int("checkpoint_every", c.CheckpointEvery.Epochs, 0, maxCount)
	p.Int("keep_checkpoints", c.KeepCheckpoints, 0, maxCount)
	return p.Err()
}

// DataOptions are how c reads its data; warn is told what the user should know (nil: nobody is).
// The range is that of a valid configuration.
func (c Config) DataOptions(warn func(string)) data.Options {
	return data.Options{
		Size: c.Size, Gray: c.Gray, Array: c.Array, Range: c.valueRange(), Labels: c.Labels,
		SkipBroken: c.SkipBroken, Warn: warn,
	}
}

// valueRange is Range as numbers, or nil where it is empty or no range.
func (c Config) valueRange() *[2]float64 {
	low, high, found := strings.Cut(c.Range, ",")
	lo, errLow := strconv.ParseFloat(strings.TrimSpace(low), 64)
	hi, errHigh := strconv.ParseFloat(strings.TrimSpace(high), 64)
	if !found || errLow != nil || errHigh != nil || !(lo < hi) || math.IsInf(hi-lo, 0) {
		return nil
	}
	return &[2]float64{lo, hi}
}

// IsPlainText tells whether s is UTF-8 without control characters, which a file can hold as text.
func IsPlainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// resumable are the keys that may change when a run continues: how long it goes on, and what
// it costs and reports on the way. All others are part of what its checkpoints mean.
var resumable = []string{
	"epochs", "threads", "cloud", "cloud_dir",
	"data",                                    // the images may have moved: their fingerprint must stay
	"labels",                                  // so may these, which no training reads
	"divergence_retries", "divergence_factor", // of divergences yet to come
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
			mine, theirs := c.Key(name), asked.Key(name)
			p.Expect(false, name, theirs, fmt.Sprintf("%s, as the run began; when it continues it may only change %s",
				mine, strings.Join(resumable, ", ")))
		}
	}
	return p.Err()
}
