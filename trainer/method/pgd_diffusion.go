package method

import "github.com/plume-ml/plume/trainer/config"

// pgdDiffusion is pgd, then frozen, then a diffusion prior fitted to its standardised particles: it
// tells what ipld gains by training jointly from what any better prior would gain. So particles and
// decoder move as ipld's do by default, underdamped. The prior's fit has no noise on the
// parameters; before it there can be (param_noise).
var pgdDiffusion = spec{
	name:     config.PGDDiffusion,
	reads:    []*keySet{moveKeys, noiseKeys, scoreKeys, stageKeys},
	defaults: likeIPLD,
	check:    checkStages,
	prior:    fittedPrior,
	build:    staged(firstFlow),
}
