package config

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// Largest accepted sizes. They only prevent that a typo exhausts the memory.
const (
	maxRows    = 1 << 20
	maxThreads = 1 << 12
	maxLanes   = 1 << 12
	maxCount   = math.MaxInt32
	maxRetries = 1000
)

// Method names a training method.
type Method string

// The training methods, which package method defines.
const (
	IPLD         Method = "ipld"
	PGD          Method = "pgd"
	PGDDiffusion Method = "pgd+diffusion"
	MPGD         Method = "mpgd"
	IPLA         Method = "ipla"
	SOUL         Method = "soul"
	ShortRun     Method = "shortrun"
	ABP          Method = "abp"
	VAE          Method = "vae"
	VAEDiffusion Method = "vae+diffusion"
	TwoStage     Method = "two-stage"
)

// Methods lists all methods.
var Methods = []Method{
	IPLD, PGD, PGDDiffusion, MPGD, IPLA, SOUL, ShortRun, ABP, VAE, VAEDiffusion, TwoStage,
}

// Cloud is where the particles are kept.
type Cloud string

// The places of particles.
const (
	InMemory Cloud = "memory"
	InFile   Cloud = "file"
)

func (c *Config) runKeys() []Key {
	return group("Run",
		choiceKey(&c.Method, "method", IPLD, Methods, "training method"),
		uintKey(&c.Seed, "seed", 1, tomlInteger, "seed of every random number of the run"),
		intKey(&c.Epochs, "epochs", 360, between(0, maxCount), "epochs",
			"passes over the training rows (0: as many as make 6,500 steps, or 1,500 steps "+
				"with each datapoint, if those are fewer)"),
		intKey(&c.Batch, "batch", 500, between(1, maxRows), "datapoints",
			"datapoints B per minibatch"),
		intKey(&c.Tile, "tile", 64, between(1, maxRows), "rows",
			"most rows that one worker takes through the networks at a time; "+
				"with OpenBLAS part of the result's bits"),
		intKey(&c.Wave, "wave", 0, between(0, maxRows), "rows",
			"rows whose values are in memory at a time, for gradients by parts (0: as many as "+
				"256 MiB hold); with OpenBLAS part of the result's bits"),
		intKey(&c.Lanes, "lanes", 1, between(1, maxLanes), "lanes",
			"blocks of datapoints whose sums are made apart and then added in a fixed order, for "+
				"machines that share a training; part of the result's bits"),
		intKey(&c.Threads, "threads", 0, between(0, maxThreads), "threads",
			"worker threads (0: all cores); never changes the result"),

		choiceKey(&c.Cloud, "cloud", InMemory, []Cloud{InMemory, InFile},
			"where the particles lie: in memory, or in a file, for more of them than the "+
				"memory holds; never changes the result"),
		textKey(&c.CloudDir, "cloud_dir", "", plain("a path"),
			"directory of that file, on a fast disk (default: the run's own); "+
				"the file has no name there and goes with the process"),

		intKey(&c.DivergenceRetries, "divergence_retries", 3, between(0, maxRetries), "retries",
			"how often a run that diverges goes back to its last good state, with smaller steps "+
				"(0: it ends at once)"),
		floatKey(&c.DivergenceFactor, "divergence_factor", 0.5, unitOpen, "factor",
			"what a divergence multiplies step size and learning rate by, in (0, 1)"),
	)
}

var tomlInteger = expect("an integer in [0, 2^63 - 1], the largest that TOML holds",
	func(v uint64) bool { return v <= kernel.MaxSeed })
