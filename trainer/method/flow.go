package method

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// Flow is the gradient flow of the free energy, discretised: particles make Langevin moves
// against the drift of decoder and prior, parameters follow the particle average, all from the
// state at the step's start (ALGORITHM.md section 4).
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

	counts     []uint32  // moves made, parameter steps made
	meanSquare []float64 // running mean of z^2 over the cloud

	// Of the step under way.
	index    []int
	gathered bool // the batch holds this minibatch's particles and images
	packed   bool // the tapes have the parameters' present values
	packs    int  // tasks of packing before those of gathering
	tiles    int
	train    bool // the weight gradients are wanted
	held     bool // the prior is held at N(0, I)
	langevin particle.Langevin

	// The phases' tasks, made once so that a step does not allocate.
	prepareTask, gradientTask, weightTask, updateTask, moveTask func(int)
}

const (
	countMoves = iota
	countSteps
)

// NewFlow builds the flow for a decoder and a prior.
func NewFlow(s Setup) (*Flow, error) {
	rows := s.Batch * s.Particles
	f := &Flow{
		Setup: s, x: kernel.Floats(s.Batch * s.Decoder.Out()), square: kernel.Floats(rows), nll: kernel.Floats(rows),
		counts: make([]uint32, 2), meanSquare: make([]float64, 1),
	}
	f.cloud = particle.NewCloud(s.Train.Len(), s.Particles, s.Latent, s.Dynamics == "underdamped", s.Seed)
	f.meanSquare[0] = f.cloud.Stats().MeanSquare
	f.batch = f.cloud.NewBatch(rows)
	var err error
	if f.decoder, err = newNetwork("decoder", s.Decoder.Layout(), s.Options, s.Seed, decoderNet); err != nil {
		return nil, err
	}
	if f.prior, err = newNetwork("prior", s.Prior.Layout(), s.Options, s.Seed, priorNet); err != nil {
		return nil, err
	}
	f.decoderTape = s.Decoder.NewTape(f.decoder.p, rows)
	f.priorTape = s.Prior.NewTape(f.prior.p, rows)
	f.clip, f.redrawn = make([]int, s.Batch), make([]int, s.Batch) // tiles hold a datapoint or more
	f.prepareTask, f.gradientTask, f.weightTask = f.prepare, f.gradient, f.weight
	f.updateTask, f.moveTask = f.update, f.move
	return f, nil
}

// tilesOf is the number of tiles of a batch. All rows of a datapoint share a tile, so that its
// image is gathered by one task. Where the cut does not show in the bits, many workers get more tiles, two of each
// network for each worker, down to finestTile rows.
func (f *Flow) tilesOf(rows int) int {
	points := rows / f.Particles
	tiles := pool.Pieces(points, max(1, f.Tile/f.Particles))
	if blas.CutFree() {
		finest := points / pool.Pieces(finestTile, f.Particles) // tiles of at least as many rows
		tiles = max(tiles, min(2*f.Pool.Workers(), finest))
	}
	return tiles
}

// finestTile is as many rows as the tallest tile of package kernel: thinner ones would starve the products.
const finestTile = 14

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
	for inner := range f.InnerSteps {
		f.train = inner == f.InnerSteps-1
		f.evaluate(&stats)
		f.langevin.Key = f.key(kernel.StreamMove)
		if f.train {
			f.Pool.Run(f.decoderTape.GradTasks()+f.priorTape.GradTasks(), f.weightTask)
			f.decoder.opt.Begin(lr)
			tasks := f.tiles + f.decoder.updateTasks()
			if !f.held {
				f.prior.opt.Begin(f.ScoreLR * lr)
				tasks += f.prior.updateTasks()
			}
			f.Pool.Run(tasks, f.updateTask)
			f.packed = false
		} else {
			f.Pool.Run(f.tiles, f.moveTask)
		}
		f.counts[countMoves]++
		f.collectMoves(&stats)
	}
	f.counts[countSteps]++
	f.batch.MarkVisited(b.Number)
	f.collectLosses(&stats)
	if sum := stats.DataLoss + stats.PriorLoss; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return stats, fmt.Errorf("%w at step %d: the loss is %v; try a smaller step_size or lr", ErrDiverged, f.counts[countSteps], sum)
	}
	return stats, nil
}

// begin makes the minibatch the one under way and sets what is fixed during the step.
func (f *Flow) begin(b Minibatch) {
	f.index = b.Index
	f.tiles = f.tilesOf(len(b.Index) * f.Particles)
	f.held = f.warmingUp()
	f.bring(b.Repeat == 0 || !f.gathered)
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
	return progress(f.StepSchedule, f.StepSize, f.StepSizeEnd, done)
}

func (f *Flow) learningRate(done float64) float64 {
	return progress(f.LRSchedule, f.LR, f.LR*f.LREnd, done)
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

func (f *Flow) collectLosses(s *Stats) {
	rows := len(f.batch.IDs)
	variance := f.ObsNoise * f.ObsNoise
	s.Rows = float64(rows)
	s.SquareError = sum(f.square[:rows])
	s.DataLoss = s.SquareError/(2*variance) + s.Rows*float64(f.Decoder.Out())/2*math.Log(2*math.Pi*variance)
	s.PriorLoss = sum(f.nll[:rows])
}

func sum(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
