package method

import (
	"errors"
	"fmt"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// staged is a method in two stages. The first stage, a flow or a variational with the prior N(0,
// I), lasts for the share 1 - prior_share of the training and is then frozen at its averaged
// weights. The second stage fits a prior to its latents, by the prior's part of the free energy
// alone. A Standardised prior first gets the mean and the standard deviation of each dimension over
// all training images.
//
// Schedules run through their whole length in each stage. A run that is extended stays in its
// second stage: the schedules continue from where the new length puts them, and the first stage
// does not change. Until the second stage, the prior keeps its initial parameters; a diffusion is
// then N(0, I), the first stage's prior.
//
// A step is in staged_step.go, from top to bottom.
type staged struct {
	setup Setup
	lanes *lanes
	rates
	first firstStage

	prior      *network
	tape       prior.Tape
	tile       int // rows of its tiles
	conditions *conditioning
	g          []float32 // scratch for the gradients by z, which are not used, B*N x d
	nll        []float32 // prior loss of each row, B*N

	counts []uint32  // countSecond, countSecondSteps
	frozen []float64 // frozenSquare ...: means over the rows of all training images

	now      fit
	rowsTask func(tile int) // made once so that a step does not allocate
}

const (
	countSecond      = iota // 1 in the second stage, else 0
	countSecondSteps        // steps of the second stage
)

const (
	frozenSquare = iota // squared error
	frozenData          // data loss
	frozenEntropy
)

// inStages returns the build function of a method in two stages.
func inStages(first firstBuild) func(a *memory.Arena, s Setup) (buildable, error) {
	return func(a *memory.Arena, s Setup) (buildable, error) { return newStaged(a, s, first) }
}

// newStaged builds a method whose first stage comes from build, with the prior N(0, I), and whose
// second fits s.Prior.
func newStaged(a *memory.Arena, s Setup, build firstBuild) (*staged, error) {
	o := &s.Options
	if s.Steps > 0 && float64(s.Steps)*o.PriorShare < 1 {
		const text = "prior_share = %v: expected at least one of the %d steps of the training"
		return nil, fmt.Errorf(text, o.PriorShare, s.Steps)
	}
	initial := s
	initial.Prior = prior.Gaussian{Latent: o.Latent}
	first, err := build(a, initial)
	if err != nil {
		return nil, err
	}
	rows := s.Batch * o.Particles
	t := &staged{
		setup: s, lanes: s.newLanes(), first: first,
		g: a.Floats(memory.Activations, rows, o.Latent), nll: a.Floats(memory.Activations, rows),
		counts: make([]uint32, 2), frozen: make([]float64, 3),
	}
	t.rates.options = &t.setup.Options
	t.rowsTask = t.priorTile
	if t.prior, err = s.newNetwork(a, priorNet, s.Prior.Layout()); err != nil {
		return nil, errors.Join(err, first.Close())
	}
	if t.conditions, err = s.newConditioning(a); err != nil {
		return nil, errors.Join(err, first.Close())
	}
	t.tile = s.tile(s.Prior.TileRows())
	t.tape = s.Prior.NewTape(a, t.prior.p, s.size(t.tile, o.Particles), model.Train)
	t.prior.bind(s, t.tape)
	return t, nil
}

// second reports whether the second stage has begun.
func (t *staged) second() bool { return t.counts[countSecond] != 0 }

// progress returns the share of each stage that is done when the share done of the training is.
func (t *staged) progress(done float64) (first, second float64) {
	share := t.setup.Options.PriorShare
	start := 1 - share
	return min(1, done/start), max(0, (done-start)/share)
}

// Slow implements Method.
func (t *staged) Slow(factor float64) {
	t.rates.Slow(factor)
	t.first.Slow(factor)
}
