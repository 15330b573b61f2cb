package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
)

// Variational is the amortised counterpart of Flow: the latents of x are drawn from an encoder's
// q(z|x) = N(mean, diag exp(logvar)), z = mean + exp(logvar/2) eps, and all networks descend
//
//	-log p(x|z) + log q(z|x) + l_theta(z),
//
// the negative evidence lower bound with l_theta >= -log p_theta(z) for the prior (Kingma and Welling 2014;
// Rezende, Mohamed and Wierstra 2014). particles is the number of draws for each datapoint. The entropy of q
// is taken in closed form, and so is its cross-entropy with a Gaussian prior; a diffusion prior is estimated as the
// particles of Flow feel it, with the drift by z passed on to the encoder.
//
// A step runs in phases, with a barrier after each, cut as those of Flow:
//
//	prepare    lay the weights out; gather the images of a new minibatch
//	encode     encoder forward, draws of the latents          by tiles
//	gradients  decoder and prior forward and backward         by tiles, networks apart
//	backward   encoder backward                               by tiles
//	weights    gradients of the parameters                    by columns of layers
//	update     optimisers                                     by chunks
type Variational struct {
	Setup
	encoder, decoder, prior  *network
	encoderTape, decoderTape model.Tape
	priorTape                PriorTape

	ids     []uint64  // of the rows in the noise stream: datapoint*N + draw
	x       []float32 // images of the minibatch, B x D
	mean    []float32 // B x d
	z       []float32 // latents, B*N x d
	noise   []float32 // z - mean
	g, p    []float32 // gradients by z: decoder's, prior's
	square  []float32 // squared pixel error of each row
	nll     []float32 // prior loss of each row, or in closed form of each datapoint
	entropy []float32 // of q(z|x), of each datapoint

	counts []uint32 // draws made, one for each minibatch or step; steps made

	// Of the step under way.
	index    []int
	gathered bool // x holds this minibatch's images
	packed   bool // the tapes have the parameters' present values
	packs    int  // tasks of packing before those of gathering
	tiles    int
	held     bool // the prior is held at N(0, I)
	closed   bool // the prior is Gaussian: its part of the bound is in closed form
	key      kernel.Key

	// The phases' tasks, made once so that a step does not allocate.
	prepareTask, encodeTask, gradientTask, backwardTask, weightTask, updateTask func(int)
}

const (
	countDraws = iota
	countEncoderSteps
)

// NewVariational builds the method for an encoder, a decoder and a prior.
func NewVariational(s Setup) (*Variational, error) {
	rows := s.Batch * s.Particles
	mat := func(n int) []float32 { return kernel.Floats(n * s.Latent) }
	v := &Variational{
		Setup: s, ids: make([]uint64, 0, rows), x: kernel.Floats(s.Batch * s.Decoder.Out()), mean: mat(s.Batch),
		z: mat(rows), noise: mat(rows), g: mat(rows), p: mat(rows),
		square: kernel.Floats(rows), nll: kernel.Floats(rows), entropy: kernel.Floats(s.Batch), counts: make([]uint32, 2),
	}
	var err error
	if v.encoder, err = newNetwork("encoder", s.Encoder.Layout(), s.Options, s.Seed, encoderNet); err != nil {
		return nil, err
	}
	if v.decoder, err = newNetwork("decoder", s.Decoder.Layout(), s.Options, s.Seed, decoderNet); err != nil {
		return nil, err
	}
	if v.prior, err = newNetwork("prior", s.Prior.Layout(), s.Options, s.Seed, priorNet); err != nil {
		return nil, err
	}
	v.encoderTape = s.Encoder.NewTape(v.encoder.p, s.Batch)
	v.decoderTape = s.Decoder.NewTape(v.decoder.p, rows)
	v.priorTape = s.Prior.NewTape(v.prior.p, rows)
	v.prepareTask, v.encodeTask, v.gradientTask = v.prepare, v.encode, v.gradient
	v.backwardTask, v.weightTask, v.updateTask = v.backward, v.weight, v.update
	return v, nil
}

// Step implements Method.
func (v *Variational) Step(b Minibatch) (Stats, error) {
	v.draw(b.Index, b.Repeat == 0, v.keyOf(kernel.StreamEncoder))
	stats := Stats{Steps: 1}
	v.evaluate(&stats)
	if err := v.checkLosses(&stats); err != nil {
		return stats, err
	}
	v.Pool.Run(v.tiles, v.backwardTask)
	v.Pool.Run(v.encoderTape.GradTasks()+v.decoderTape.GradTasks()+v.priorTape.GradTasks(), v.weightTask)
	v.updateAll(v.learningRate(b.Progress))
	v.counts[countDraws]++
	v.counts[countEncoderSteps]++
	return stats, v.checkUpdate(&stats)
}

// draw encodes the images of a minibatch, which is new or that of the last call, and draws their latents.
func (v *Variational) draw(index []int, minibatch bool, key kernel.Key) {
	v.index = index
	v.ids = v.ids[:0]
	for _, m := range index {
		for n := range v.Particles {
			v.ids = append(v.ids, uint64(m*v.Particles+n))
		}
	}
	v.tiles = v.tilesOf(len(v.ids))
	v.key = key
	gathers := 0
	if minibatch || !v.gathered {
		gathers = v.tiles
	}
	v.packs = 0
	if !v.packed {
		v.packs = v.encoderTape.PackTasks(true) + v.decoderTape.PackTasks(true) + v.priorTape.PackTasks(true)
	}
	v.Pool.Run(v.packs+gathers, v.prepareTask)
	v.gathered, v.packed = true, true
	v.Pool.Run(v.tiles, v.encodeTask)
}

// evaluate computes the losses of every row and their gradients by z.
func (v *Variational) evaluate(s *Stats) {
	rows := float64(len(v.ids))
	v.held = v.counts[countEncoderSteps] < uint32(v.PriorWarmup)
	_, gaussian := v.Prior.(Gaussian)
	v.closed = v.held || gaussian
	s.Evaluations = float64(len(v.index))*v.encoder.passes(1) + rows*v.decoder.passes(1)
	if !v.closed {
		s.Evaluations += rows * v.prior.passes(v.ScoreDraws)
		v.priorTape.Begin(len(v.ids), v.keyOf(kernel.StreamLambda), v.keyOf(kernel.StreamScoreNoise))
	}
	v.Pool.Run(2*v.tiles, v.gradientTask)
}

// updateAll makes a step of each optimiser.
func (v *Variational) updateAll(lr float64) {
	v.encoder.opt.Begin(lr)
	v.decoder.opt.Begin(lr)
	tasks := v.encoder.updateTasks() + v.decoder.updateTasks()
	if !v.held {
		v.prior.opt.Begin(v.ScoreLR * lr)
		tasks += v.prior.updateTasks()
	}
	v.Pool.Run(tasks, v.updateTask)
	v.packed = false
}

// keyOf is the key of a stream for the draws under way.
func (v *Variational) keyOf(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: v.Seed, Step: v.counts[countDraws], Stream: s}
}

// collect adds up the losses of the rows.
func (v *Variational) collect(s *Stats) {
	rows, draws := len(v.ids), float64(v.Particles)
	v.dataLoss(s, v.square[:rows])
	s.Moved = s.Rows
	s.Entropy = draws * sum(v.entropy[:len(v.index)])
	if v.closed {
		s.PriorLoss = draws * sum(v.nll[:len(v.index)])
	} else {
		s.PriorLoss = sum(v.nll[:rows])
	}
}
