package method

import (
	"github.com/plume-ml/plume/trainer/memory"

	"github.com/plume-ml/plume/trainer/config"
)

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

func firstFlow(a *memory.Arena, s Setup) (firstStage, error) { return course{}.flow(a, s) }

// networks implements firstStage.
func (f *Flow) networks() (decoder, encoder *network) { return f.decoder, nil }

// latents implements firstStage: the particles as they are.
func (f *Flow) latents(index []int) (z []float32, ids []uint64) {
	f.now, f.gathered = f.pass(index), false // the batch has these particles, but not their images
	f.batch.Select(index)
	rows := len(f.batch.IDs)
	f.batch.Gather(0, rows)
	return f.batch.Rows(f.batch.Z, 0, rows), f.batch.IDs
}

// losses implements firstStage.
func (f *Flow) losses() (s Stats) {
	f.begin(f.now, true)
	f.setup.Pool.Run(f.decoderRows())
	s.setData(f.likelihood, f.square[:len(f.batch.IDs)])
	s.Evaluations = s.Rows * f.decoder.passes(1)
	return s
}
