package verify

var linearExperiments = []experiment{
	{section: "8.2", title: "gradient of the bound", run: boundGradient},
	{section: "8.2", title: "cut-offs", run: cutOffs},
	{section: "8.2", title: "posterior at every move", run: posteriorMoments},
	{section: "8.2", title: "posterior variance against step size", run: posteriorVariances},
	{section: "8.2", title: "posterior variance with momentum", run: momentumVariances},
	{section: "8.2", title: "extra temperature", run: temperature},
	{section: "8.2", title: "stability of the step", run: stability},
	{section: "8.2", title: "minimiser of theta", run: minimiser},
	{section: "8.2", title: "learned W and S at every step", run: learnedSteps},
	{section: "8.2", title: "learned W against step size", run: byStepSize},
	{section: "8.2", title: "learned W against particles", run: byParticles},
	{section: "8.2", title: "learned W against points", run: byPoints},
	{section: "8.2", title: "methods", run: methods},
	{section: "8.2", title: "samplers", run: samplers},
	{section: "8.2", title: "learned score network of the linear model", run: learnedLinear},
}
