// Package linear has the experiments on linear Gaussian models, whose posteriors, samplers and
// maximum of the likelihood are known in closed form (ALGORITHM.md, section 8.2).
package linear

import "github.com/plume-ml/plume/trainer/verify/lab"

// Experiments are those of section 8.2.
var Experiments = []lab.Experiment{
	{Section: "8.2", Title: "value of the bound in nats", Run: boundValue},
	{Section: "8.2", Title: "gradient of the bound", Run: boundGradient},
	{Section: "8.2", Title: "cut-offs", Run: cutOffs},
	{Section: "8.2", Title: "posterior at every move", Run: posteriorMoments},
	{Section: "8.2", Title: "posterior variance against step size", Run: posteriorVariances},
	{Section: "8.2", Title: "posterior variance with momentum", Run: momentumVariances},
	{Section: "8.2", Title: "coverage of the posterior and of imputations", Run: coverage},
	{Section: "8.2", Title: "extra temperature", Run: temperature},
	{Section: "8.2", Title: "stability of the step", Run: stability},
	{Section: "8.2", Title: "minimiser of theta", Run: minimiser},
	{Section: "8.2", Title: "learned W and S at every step", Run: learnedSteps},
	{Section: "8.2", Title: "learned W against step size", Run: byStepSize},
	{Section: "8.2", Title: "learned W against particles", Run: byParticles},
	{Section: "8.2", Title: "learned W against points", Run: byPoints},
	{Section: "8.2", Title: "methods", Run: methods},
	{Section: "8.2", Title: "samplers", Run: samplers},
	{Section: "8.2", Title: "learned score network of the linear model", Run: learnedNetwork},
}
