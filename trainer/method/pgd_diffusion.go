package method

import "github.com/plume-ml/plume/trainer/config"

// pgdDiffusion is pgd, frozen after a part of the training, and then a diffusion prior fitted to
// its standardised particles. It separates what ipld gains by joint training from what any better
// prior would gain. Therefore particles and decoder move by default as in ipld, underdamped. There
// is no noise on the parameters while the prior is fitted; before that there can be (param_noise).
var pgdDiffusion = spec{
	name:     config.PGDDiffusion,
	reads:    []*keySet{moveKeys, startKeys, noiseKeys, scoreKeys, stageKeys, solverKeys},
	defaults: likeIPLD,
	check:    checkStages,
	prior:    fittedPrior,
	build:    inStages(firstFlow),
}
