package method

import (
	"github.com/plume-ml/plume/trainer/model"

	"github.com/plume-ml/plume/trainer/config"
)

// course is in what a step of the flow differs between methods: which of the states that the
// particles pass in K inner moves, z_0 to z_K, the parameters learn from. That is z_{K-1}, at which
// the last move begins: parameters and particles move at once.
type course struct {
	final   bool // z_K instead: the parameters follow the particles
	average bool // the mean over all K such states: z_0 to z_{K-1}, or z_1 to z_K
	cold    bool // z_0 is drawn from N(0, I) at every step
}

// evaluations is how often a step of so many moves evaluates the networks: before each, and for
// final at z_K too.
func (c course) evaluations(moves int) int {
	if c.final {
		return moves + 1
	}
	return moves
}

// counted tells whether the parameters learn from z_i, besides from the last state evaluated.
func (c course) counted(i int) bool { return c.average && (i > 0 || !c.final) }

// build makes a flow that follows c.
func (c course) build(s Setup) (Method, error) { return c.flow(s) }

// footprint is the memory of such a flow: averages take sums of gradients beside gradients.
func (c course) footprint(decoder model.Net, prior Prior, o config.Options, s Scale) Footprint {
	f := flowFootprint(decoder, prior, o, s)
	if c.average {
		for i, part := range f.Held {
			if part.Name == "gradients" {
				f.Held[i].Bytes *= 2
			}
		}
	}
	return f
}
