package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// variational is the amortised counterpart of flow: the latents of x are drawn from an encoder's
// q(z|x) = N(mean, diag exp(logvar)), z = mean + exp(logvar/2) eps, and all networks descend
//
//	-log p(x|z) + log q(z|x) + l_theta(z),
//
// the negative evidence lower bound with l_theta >= -log p_theta(z) for the prior (Kingma and
// Welling 2014; Rezende, Mohamed and Wierstra 2014). The option particles is the number of draws
// for each datapoint. The entropy of q is computed in closed form, and so is its cross-entropy with
// a Gaussian prior. The bound of a diffusion prior is estimated as in flow, and its gradient by z
// is passed on to the encoder.
//
// A step is in variational_step.go, from top to bottom. N is the number of draws for each
// datapoint, d the latent dimension, D the numbers in an image, and B the datapoints of a
// minibatch.
type variational struct {
	setup Setup
	lanes *lanes
	rates
	observed

	encoder, decoder, prior  *network
	encoderTape, decoderTape *model.Tape
	priorTape                prior.Tape
	tile                     int // rows of a tile, which goes through all networks
	conditions               *conditioning

	ids     []uint64  // of the rows in the noise stream: datapoint*N + draw
	mean    []float32 // of q(z|x), B x d
	logvar  []float32 // of q(z|x), B x d
	z       []float32 // latents, B*N x d
	noise   []float32 // z - mean, B*N x d
	g       []float32 // the decoder's gradient by z, B*N x d
	p       []float32 // the prior's gradient by z, B*N x d; in closed form that by the mean, B x d
	nll     []float32 // prior loss of each row, B*N; in closed form of each datapoint, B
	entropy []float32 // of q(z|x), B

	counts []uint32 // countDraws, countEncoderSteps

	now      draws
	gathered bool             // x holds the images of now.index
	tasks    variationalTasks // made once so that a step does not allocate
}

// variationalTasks are the tasks of a step, one for each tile.
type variationalTasks struct{ gather, encode, rows, decoderRows func(tile int) }

const (
	countDraws        = iota // calls of draw whose latents were used for training
	countEncoderSteps        // steps
)

func buildVariational(a *memory.Arena, s Setup) (buildable, error) { return s.variational(a) }

// variational builds the engine for the setup's encoder, decoder and prior.
func (s Setup) variational(a *memory.Arena) (*variational, error) {
	o := &s.Options
	rows := s.Batch * o.Particles
	latents := func(n int) []float32 { return a.Floats(memory.Particles, n, o.Latent) }
	losses := func(n int) []float32 { return a.Floats(memory.Activations, n) }
	v := &variational{
		setup: s, lanes: s.newLanes(), observed: s.newObserved(a, rows),
		ids:  a.Uint64s(memory.Particles, rows)[:0],
		mean: latents(s.Batch), logvar: latents(s.Batch), z: latents(rows), noise: latents(rows),
		g: latents(rows), p: latents(rows),
		nll: losses(rows), entropy: losses(s.Batch),
		counts: make([]uint32, 2),
	}
	v.rates.options = &v.setup.Options
	v.tasks = variationalTasks{v.gatherTile, v.encodeTile, v.rowsTile, v.decoderTile}
	var err error
	if v.encoder, err = s.newNetwork(a, encoderNet, s.Encoder.Layout()); err != nil {
		return nil, err
	}
	if v.decoder, err = s.newNetwork(a, decoderNet, s.Decoder.Layout()); err != nil {
		return nil, err
	}
	if v.prior, err = s.newNetwork(a, priorNet, s.Prior.Layout()); err != nil {
		return nil, err
	}
	if v.conditions, err = s.newConditioning(a); err != nil {
		return nil, err
	}
	v.tile = s.tile(
		s.Decoder.TileRows(), s.Prior.TileRows(), o.Particles*s.Encoder.TileRows())
	v.encoderTape = s.Encoder.NewTape(a, v.encoder.p, s.size(v.tile, 1), model.Train)
	v.decoderTape = s.Decoder.NewTape(a, v.decoder.p, s.size(v.tile, o.Particles), model.Train)
	v.priorTape = s.Prior.NewTape(a, v.prior.p, s.size(v.tile, o.Particles), model.Train)
	v.encoder.bind(s, v.encoderTape)
	v.decoder.bind(s, v.decoderTape)
	v.prior.bind(s, v.priorTape)
	return v, nil
}

// key is the key of stream s for the current draws.
func (v *variational) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: v.setup.Seed, Step: v.counts[countDraws], Stream: s}
}

// rows returns rows lo to hi of an array as wide as a latent.
func (v *variational) rows(x []float32, lo, hi int) []float32 {
	d := v.setup.Options.Latent
	return x[lo*d : hi*d]
}
