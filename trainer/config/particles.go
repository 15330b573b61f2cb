package config

import (
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// Start names where particles start.
type Start string

// The starts.
const (
	FromNormal     Start = "normal"
	FromComponents Start = "pca"
)

// Starts lists all starts.
var Starts = []Start{FromNormal, FromComponents}

// Largest accepted sizes.
const (
	maxParticles = 1 << 20
	maxRepeats   = 1 << 16
	maxSteps     = math.MaxInt32
)

func (o *Options) particleKeys() []Key {
	repeats := between(1, maxRepeats)
	return group("Particles",
		intKey(&o.Particles, "particles", 1, between(1, maxParticles), "particles",
			"latent particles N per datapoint"),
		choiceKey(&o.CloudInit, "cloud_init", FromNormal, Starts,
			"where particles start: at N(0, I), or at the principal components of the rows "+
				"(of their patches, if the latents are small pictures)"),
		choiceKey(&o.Dynamics, "dynamics", particle.Underdamped, particle.AllDynamics,
			"overdamped (the plain gradient flow), underdamped (with momentum), "+
				"or exact (the exact transition of the underdamped diffusion)"),
		floatKey(&o.StepSize, "step_size", 3e-3, positive, "1",
			"Langevin step size h at the start"),
		floatKey(&o.StepSizeEnd, "step_size_end", 5e-4, positive, "1",
			"Langevin step size at the end of the schedule; where only step_size is given, "+
				"it keeps its ratio to that"),
		choiceKey(&o.StepSchedule, "step_schedule", optim.Geometric, optim.Schedules,
			"path of h from step_size to step_size_end"),
		floatKey(&o.Friction, "friction", 0.2, unitNotZero, "share a move",
			"share of the velocity lost per move, in (0, 1] (underdamped); in (0, 1) (exact)"),
		intKey(&o.BatchRepeats, "batch_repeats", 1, repeats, "steps",
			"whole training steps taken in a row on each minibatch"),
		intKey(&o.InnerSteps, "inner_steps", 1, repeats, "moves",
			"particle moves per parameter step"),
		intKey(&o.ScoreDraws, "score_draws", 1, repeats, "draws",
			"(lambda, eps) draws per particle and move, averaged"),
		floatKey(&o.ScaleAnchor, "scale_anchor", 0, nonNegative, "1",
			"strength a of the drift a max(0, mean z^2 - 1) z that keeps the cloud's scale "+
				"(0: off)"),
		floatKey(&o.DriftClip, "drift_clip", 0.3, nonNegative, "latent units",
			"largest root mean square of h*drift over a particle (0: off)"),
		intKey(&o.CatchUp, "catch_up", 0, between(0, maxRepeats), "minibatches",
			"a particle whose datapoint was not visited for k steps moves with step "+
				"min(k, catch_up)*h (0: off)"),
		intKey(&o.PriorWarmup, "prior_warmup", 0, between(0, maxSteps), "steps",
			"first steps during which the prior is held at N(0, I)"),
		choiceKey(&o.PriorWeight, "prior_weight", diffusion.Simple, diffusion.Weights,
			"weight of the noise levels in the score network's loss"),
		choiceKey(&o.PriorLevels, "prior_levels", diffusion.Uniform, diffusion.Densities,
			"density from which noise levels are drawn: uniform, or four of five by "+
				"sech(lambda/2), where the drift has its weight; means stay the same"),
		choiceKey(&o.PriorDrift, "prior_drift", diffusion.BoundDrift, diffusion.Drifts,
			"drift of the particles: the bound's gradient, or the learned score at lambda_max"),
		boolKey(&o.ControlVariate, "control_variate",
			"remove the part of the prior drift's noise that is known in closed form"),
	)
}

func (o Options) checkParticles(p *Problems) {
	p.Expect(!(o.Dynamics == particle.Exact && o.Friction == 1), "friction", o.Friction,
		`a number below 1 with dynamics = "exact"`)
	p.Expect(!(o.ControlVariate && o.PriorDrift == diffusion.ScoreDrift),
		"control_variate", o.ControlVariate,
		`false with prior_drift = "score", whose drift has no noise to remove`)
}
