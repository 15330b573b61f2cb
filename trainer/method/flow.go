package method

import (
	"errors"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// Flow is the gradient flow of the free energy, discretised: particles make Langevin moves
// against the drift of decoder and prior, parameters follow the particle average, all from the
// state at the step's start (ALGORITHM.md section 4), or from where the method's course says.
//
// A step runs in phases, with a barrier after each but the first:
//
//	pack       lay the weights out for products;                      by layers;
//	gather     copy the particles and images of a new minibatch       by tiles of rows
//	gradients  both networks forward and backward                     by tiles, networks apart
//	weights    gradients of the parameters                            by columns of layers
//	update     optimisers; Langevin moves                             by chunks; by tiles
//
// Every sum has one order. The cut into tasks depends on the configuration alone, but for tiles whose cut does
// not show in the bits (tilesOf): so the result does not depend on the number of workers. Rows of a tile need no barrier between
// layers; the weight gradients, each one product over all rows, need no buffers per worker.
type Flow struct {
	Setup
	course
	cloud         *particle.Cloud
	batch         *particle.Batch
	decoder       *network
	prior         *network
	decoderTape   model.Tape
	priorTape     PriorTape
	x             []float32 // images of the minibatch, B x D
	square        []float32 // squared pixel error of each row
	nll           []float32 // prior loss of each row
	clip, redrawn []int     // of each tile

	counts     []uint32  // countMoves, countSteps
	meanSquare []float64 // running mean of z^2 over the cloud

	// Of the step under way.
	index    []int
	gathered bool // the batch holds this minibatch's particles and images
	packed   bool // the tapes have the parameters' present values
	packs    int  // tasks of packing before those of gathering
	tiles    int
	train    bool // the weight gradients are wanted
	moves    bool // the particles move after this evaluation
	last     bool // the parameters do: it is the step's last
	summed   int  // gradients of the step that are in the networks' sums
	held     bool // the prior is held at N(0, I)
	restart  bool // gathered particles are drawn anew
	langevin particle.Langevin

	// The phases' tasks, made once so that a step does not allocate.
	prepareTask, gradientTask, weightTask, updateTask func(int)
}

const (
	countMoves = iota // evaluations of the networks: one before each move, and those that no move follows
	countSteps        // parameter steps
)

// NewFlow builds the flow for a decoder and a prior.
func NewFlow(s Setup) (*Flow, error) { return course{}.flow(s) }

func (c course) flow(s Setup) (*Flow, error) {
	rows := s.Batch * s.Particles
	f := &Flow{
		Setup: s, course: c, x: kernel.Floats(s.Batch * s.Decoder.Out()), square: kernel.Floats(rows), nll: kernel.Floats(rows),
		counts: make([]uint32, 2), meanSquare: make([]float64, 1),
	}
	var err error
	if f.cloud, err = s.newCloud(); err != nil {
		return nil, err
	}
	f.meanSquare[0] = f.cloud.Stats().MeanSquare
	f.batch = f.cloud.NewBatch(rows)
	if s.Dynamics == "exact" {
		f.batch.UseExact(s.Friction)
	}
	if f.decoder, err = newNetwork("decoder", s.Decoder.Layout(), s.Options, s.Seed, decoderNet); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.prior, err = newNetwork("prior", s.Prior.Layout(), s.Options, s.Seed, priorNet); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for _, n := range []*network{f.decoder, f.prior} {
		n.follow(s, c)
	}
	f.decoderTape = s.Decoder.NewTape(f.decoder.p, rows)
	f.priorTape = s.Prior.NewTape(f.prior.p, rows)
	f.clip, f.redrawn = make([]int, s.Batch), make([]int, s.Batch) // tiles hold a datapoint or more
	f.prepareTask, f.gradientTask, f.weightTask = f.prepare, f.gradient, f.weight
	f.updateTask = f.update
	return f, nil
}

// tile is the rows of tile i, and the datapoints of the minibatch that they belong to.
func (f *Flow) tile(i int) (lo, hi, first, last int) {
	first, last = pool.Span(len(f.index), f.tiles, i)
	return first * f.Particles, last * f.Particles, first, last
}

// Step implements Method.
func (f *Flow) Step(b Minibatch) (Stats, error) {
	f.begin(b)
	lr := f.learningRate(b.Progress)
	stats := Stats{Steps: 1, Anchor: float64(f.langevin.Anchor)}
	for i := range f.evaluations(f.InnerSteps) {
		f.moves, f.last = i < f.InnerSteps, i == f.evaluations(f.InnerSteps)-1
		f.train = f.last || f.counted(i)
		f.evaluate(&stats)
		if err := f.checkLosses(&stats); err != nil {
			return stats, err
		}
		f.advance(lr)
		f.counts[countMoves]++
		if f.moves {
			f.collectMoves(&stats)
		}
	}
	f.counts[countSteps]++
	f.batch.MarkVisited(b.Number)
	if err := f.Err(); err != nil {
		return stats, err
	}
	return stats, f.checkUpdate(&stats)
}

// advance moves what the evaluation is for: the particles, and at the last the parameters; of the
// others that count, the gradients join the sums.
func (f *Flow) advance(lr float64) {
	tasks := 0
	if f.moves {
		f.langevin.Key = f.key(kernel.StreamMove)
		tasks = f.tiles
	}
	if f.train {
		f.Pool.Run(f.decoderTape.GradTasks()+f.priorTape.GradTasks(), f.weightTask)
		tasks += f.decoder.updateTasks()
		if !f.held {
			tasks += f.prior.updateTasks()
		}
	}
	if f.last {
		f.decoder.opt.Begin(lr)
		if !f.held {
			f.prior.opt.Begin(f.ScoreLR * lr)
		}
		f.packed = false
	}
	f.Pool.Run(tasks, f.updateTask)
	if f.train {
		f.summed++
	}
}

// begin makes the minibatch the one under way and sets what is fixed during the step.
func (f *Flow) begin(b Minibatch) {
	f.index = b.Index
	f.tiles = f.tilesOf(len(b.Index) * f.Particles)
	f.held, f.restart, f.summed = f.warmingUp(), f.cold, 0
	f.bring(b.Repeat == 0 || !f.gathered || f.cold)
	f.batch.SetSteps(f.stepSize(b.Progress), f.CatchUp, b.Number)
	f.langevin = particle.Langevin{
		Friction: float32(f.Friction), Clip: float32(f.DriftClip),
		Anchor: float32(f.ScaleAnchor * max(0, f.meanSquare[0]-1)),
	}
}

// bring makes tapes and batch ready: it packs parameters that are new, and gathers the rows of a new
// minibatch.
func (f *Flow) bring(minibatch bool) {
	gathers := 0
	if minibatch {
		f.batch.Select(f.index)
		gathers = f.tiles
	}
	f.packs = 0
	if !f.packed {
		f.packs = f.decoderTape.PackTasks(true) + f.priorTape.PackTasks(true)
	}
	f.Pool.Run(f.packs+gathers, f.prepareTask)
	f.gathered, f.packed = true, true
}

// warmingUp tells whether the next step holds the prior at N(0, I).
func (f *Flow) warmingUp() bool { return f.counts[countSteps] < uint32(f.PriorWarmup) }

func (f *Flow) stepSize(done float64) float64 {
	return f.slowed(progress(f.StepSchedule, f.StepSize, f.StepSizeEnd, done))
}

func (f *Flow) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: f.Seed, Step: f.counts[countMoves], Stream: s}
}

// evaluate computes both parts of the drift and both losses of every row.
func (f *Flow) evaluate(s *Stats) {
	rows := float64(len(f.batch.IDs))
	s.Evaluations += rows * f.decoder.passes(1)
	if !f.held {
		s.Evaluations += rows * f.prior.passes(f.ScoreDraws)
		f.priorTape.Begin(len(f.batch.IDs), f.key(kernel.StreamLambda), f.key(kernel.StreamScoreNoise))
	}
	f.Pool.Run(2*f.tiles, f.gradientTask)
}

// collectMoves adds up what the tiles' moves reported and lets the running mean of z^2 follow,
// at the pace at which minibatches renew the cloud.
func (f *Flow) collectMoves(s *Stats) {
	rows := len(f.batch.IDs)
	s.Moved += float64(rows)
	for i := range f.tiles {
		s.Clipped += float64(f.clip[i])
		s.Redrawn += float64(f.redrawn[i])
	}
	mean := sum(f.batch.Square[:rows]) / float64(rows*f.Latent)
	f.meanSquare[0] += (mean - f.meanSquare[0]) * float64(len(f.index)) / float64(f.cloud.M)
}
