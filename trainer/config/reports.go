package config

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/diffusion"
)

const maxSolverSteps = 1 << 17

func (c *Config) reportKeys() []Key {
	return group("Reports",
		choiceKey(&c.Solver, "solver", diffusion.DPM2M, diffusion.Solvers,
			"sampler of the reports"),
		intKey(&c.SolverSteps, "solver_steps", 0, between(0, maxSolverSteps), "steps",
			"steps of that sampler (0: its default)"),
		intKey(&c.EvalEvery, "eval_every", 120, between(0, maxCount), "epochs",
			"epochs between sample grids and PCA-64 FD (0: only at the end)"),
		intKey(&c.EvalSamples, "eval_samples", 2000, sampleCount, "samples",
			"samples behind the PCA-64 FD, 2 or more "+
				"(0: no reports: neither samples nor distance nor pictures)"),
		everyKey(&c.CheckpointEvery, "checkpoint_every", EveryEpochs(40), someEpochs,
			"epochs, or a time",
			"epochs between checkpoints (0: only at the end), "+
				"or the time between them, such as 10m"),
		intKey(&c.KeepCheckpoints, "keep_checkpoints", 2, between(0, maxCount), "checkpoints",
			"newest checkpoints kept (0: all)"),
	)
}

// sampleCount requires at least two samples: fewer have no covariance.
var sampleCount = expect(fmt.Sprintf("an integer in [2, %d], or 0 for no reports", maxRows),
	func(n int) bool { return n == 0 || 2 <= n && n <= maxRows })

var someEpochs = rule[Every]{"an integer, 0 or more, or a time",
	func(e Every) string { return between(0, maxCount).expected(e.Epochs) }}
