package method

import (
	"errors"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// flow is the discretised gradient flow of the free energy (ALGORITHM.md section 4). In a step the
// particles of a minibatch make Langevin moves against the drift of decoder and prior, and the
// parameters follow the gradient averaged over the particles, at the states that the method's
// course says.
//
// A step is in step.go, from top to bottom. M is the number of datapoints, N that of the particles
// of each, d the latent dimension, D the numbers in an image, and B the datapoints of a minibatch.
type flow struct {
	setup Setup
	lanes *lanes
	rates
	course
	observed

	cloud          *particle.Cloud // z and velocities of the rank's datapoints, M*N x d
	batch          *particle.Batch // the minibatch's particles and drift, B*N x d
	decoder, prior *network
	decoderTape    *model.Tape
	priorTape      prior.Tape
	decoderTile    int // rows of its tiles
	priorTile      int
	conditions     *conditioning

	nll           []float32 // prior loss of each row, B*N
	clip, redrawn []int     // rows of each tile that the last move clipped, or drew anew

	counts     []uint32  // countMoves, countSteps
	meanSquare []float64 // running mean of z^2 over the cloud

	now      pass
	gathered bool      // the batch holds the particles and images of now.index
	tasks    flowTasks // made once so that a step does not allocate
}

// flowTasks are the tasks of a pass, one for each tile.
type flowTasks struct{ gather, priorRows, decoderRows, move func(tile int) }

const (
	countMoves = iota // passes, whether a move follows or not
	countSteps        // parameter steps
)

// flow builds the flow for the setup's decoder and prior.
func (c course) flow(a *memory.Arena, s Setup) (*flow, error) {
	rows := s.Batch * s.Options.Particles
	f := &flow{
		setup: s, course: c, lanes: s.newLanes(),
		observed: s.newObserved(a, rows),
		nll:      a.Floats(memory.Activations, rows),
		clip:     a.Ints(memory.Activations, s.Batch), // tiles hold a datapoint or more
		redrawn:  a.Ints(memory.Activations, s.Batch),
		counts:   make([]uint32, 2), meanSquare: make([]float64, 1),
	}
	f.rates.options = &f.setup.Options
	f.tasks = flowTasks{f.gatherTile, f.runPrior, f.runDecoder, f.moveTile}
	err := f.makeCloud(a)
	if err != nil {
		return nil, err
	}
	f.batch = f.cloud.NewBatch(a, rows)
	if s.Options.Dynamics == particle.Exact {
		f.batch.UseExact(s.Options.Friction)
	}
	if f.decoder, err = s.newNetwork(a, decoderNet, s.Decoder.Layout()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.prior, err = s.newNetwork(a, priorNet, s.Prior.Layout()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.conditions, err = s.newConditioning(a); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for _, n := range []*network{f.decoder, f.prior} {
		n.follow(a, s, c)
	}
	n := s.Options.Particles
	f.decoderTile, f.priorTile = s.tile(s.Decoder.TileRows()), s.tile(s.Prior.TileRows())
	f.decoderTape = s.Decoder.NewTape(a, f.decoder.p, s.size(f.decoderTile, n), model.Train)
	f.priorTape = s.Prior.NewTape(a, f.prior.p, s.size(f.priorTile, n), model.Train)
	f.decoder.bind(s, f.decoderTape)
	f.prior.bind(s, f.priorTape)
	return f, nil
}

// makeCloud makes the cloud, and puts the particles where they start.
func (f *flow) makeCloud(a *memory.Arena) (err error) {
	f.cloud, err = f.setup.newCloud(a)
	if failed := f.lanes.agree(err); failed != nil {
		if err == nil { // on this rank
			failed = errors.Join(failed, f.Close())
		}
		return failed
	}
	a.Fill(func() {
		if !f.cold {
			err = f.setup.start(f.cloud)
		}
		f.meanSquare[0] = f.stats().MeanSquare
		err = f.lanes.agree(err)
	})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

// warmingUp reports whether the next step holds the prior at N(0, I).
func (f *flow) warmingUp() bool {
	return f.counts[countSteps] < uint32(f.setup.Options.PriorWarmup)
}

// key is the key of stream s for the current pass.
func (f *flow) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: f.setup.Seed, Step: f.counts[countMoves], Stream: s}
}
