package method

import (
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// firstStage is a method with a fixed prior, which can be frozen.
type firstStage interface {
	buildable
	// networks returns the decoder and the encoder; encoder is nil for a flow.
	networks() (decoder, encoder *network)
	// latents returns the latents of a minibatch under the frozen model and their addresses in the
	// noise stream. An encoder draws new ones at each call. They are valid until the next call.
	latents(index []int) (z []float32, ids []uint64)
	// losses returns the sums of the losses over the latents returned last.
	losses() Stats
	// locate finds where those losses stopped being finite.
	locate() *Fault
}

// firstBuild builds a first stage.
type firstBuild func(a *memory.Arena, s Setup) (firstStage, error)

// firstFlow builds a flow as a first stage.
func firstFlow(a *memory.Arena, s Setup) (firstStage, error) { return course{}.flow(a, s) }

// networks implements firstStage.
func (f *flow) networks() (decoder, encoder *network) { return f.decoder, nil }

// latents implements firstStage: the particles as they are.
func (f *flow) latents(index []int) (z []float32, ids []uint64) {
	f.now, f.gathered = f.pass(index), false // gathers these particles, but not their images
	f.batch.Select(f.now.index)
	rows := len(f.batch.IDs)
	f.batch.Gather(0, rows)
	return f.batch.Rows(f.batch.Z, 0, rows), f.batch.IDs
}

// losses implements firstStage.
func (f *flow) losses() (s Stats) {
	f.begin(f.now, true)
	f.conditions.gather(f.now.index)
	for w := range f.now.waves {
		f.enter(w)
		f.setup.Pool.Run(f.decoderRows())
	}
	f.lanes.losses(&s, lossRows{data: f.loss, square: f.square, each: f.cloud.N})
	f.decoder.count(&s, s.Rows, throughInput)
	return s
}

// locate implements firstStage.
func (f *flow) locate() *Fault { return f.locateLoss() }

// firstVariational builds the variational engine as a first stage.
func firstVariational(a *memory.Arena, s Setup) (firstStage, error) { return s.variational(a) }

// networks implements firstStage.
func (v *variational) networks() (decoder, encoder *network) { return v.decoder, v.encoder }

// latents implements firstStage.
func (v *variational) latents(index []int) (z []float32, ids []uint64) {
	v.draw(index, streamEncoder)
	v.counts[countDraws]++
	return v.rows(v.z, 0, len(v.ids)), v.ids
}

// losses implements firstStage.
func (v *variational) losses() Stats {
	points, n := v.lanes.points, v.setup.Options.Particles
	rows := points * n
	s := Stats{}
	v.encoder.count(&s, float64(points), onlyForward)
	v.decoder.count(&s, float64(rows), throughInput)
	for w := range v.now.waves {
		v.enter(w)
		v.setup.Pool.Run(pool.Group{N: v.now.wave.Count, Do: v.tasks.decoderRows})
	}
	v.lanes.losses(&s, lossRows{data: v.loss, square: v.square, entropy: v.entropy, each: n})
	return s
}

// locate implements firstStage.
func (v *variational) locate() *Fault { return v.locateLoss() }
