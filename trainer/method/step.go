package method

import (
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// One training step of the flow. It runs in phases. A phase is a list of groups of tasks, which the
// workers share, and ends with a barrier:
//
//	gather        gather the particles and images of a new minibatch, one tile of rows per task
//	rows          run decoder and prior forward and backward, one tile of one network per task
//	reduce, move  compute the gradients by the weights, a block of a layer per task; the last one
//	              of a band of rows makes the optimiser's step for the band, and the last of a
//	              layer lays it out for the next products; move the particles, one tile per task
//
// The result does not depend on the number of workers: every sum has a fixed order, and the cut
// into tasks depends only on the configuration. (Tiles may follow the number of workers where the
// cut does not change the bits.) There is no barrier between the layers of a network, since a task
// runs its rows through all of them. Workers need no gradient buffers of their own, since each
// weight gradient is one product over all rows. Where what it reads of all rows would take too much
// memory, rows and reduce alternate: a wave of rows, then its part of the gradients. Nothing moves
// before the losses of all rows have been checked.

// pass describes one evaluation of both networks on the particles of a minibatch, and what is done
// with it.
type pass struct {
	index   []int      // the B datapoints, those of the rank alone
	tiles   pool.Tiles // of their B*N rows
	waves   []wave     // the same rows in waves
	prior   pool.Tiles // of the rows of the wave under way, for each network
	decoder pool.Tiles
	held    bool // the prior is held at N(0, I)
	restart bool // particles are drawn anew when they are gathered

	moves    bool              // the particles move after the evaluation
	langevin particle.Langevin // how they move
	train    bool              // the parameters learn from the evaluation
	last     bool              // the optimisers step after it; else its gradient joins the sum
	summed   int               // number of gradients in the sum so far
}

// pass returns an evaluation of the given datapoints after which neither particles nor parameters
// move.
func (f *flow) pass(index []int) pass {
	own := f.lanes.set(index)
	return pass{
		index: own, tiles: f.setup.tiles(len(own), f.setup.Tile, f.decoderTape, f.priorTape),
		waves: f.lanes.cut(&f.setup), held: f.warmingUp(),
	}
}

// Step implements Method: InnerSteps moves of the minibatch's particles, and one step of the
// parameters, which learn from the states that the course says.
func (f *flow) Step(b Minibatch) (Stats, error) {
	o := &f.setup.Options
	p := f.pass(b.Index)
	p.restart = f.cold
	p.langevin = particle.Langevin{
		Friction: float32(o.Friction), Clip: float32(o.DriftClip),
		Anchor: float32(o.ScaleAnchor * max(0, f.meanSquare[0]-1)),
	}
	stats := Stats{Steps: 1, Anchor: float64(p.langevin.Anchor)}
	f.begin(p, b.Repeat == 0 || f.cold)
	f.batch.SetSteps(f.stepSize(b.Progress), o.CatchUp, b.Number)
	passes := f.passes(o.InnerSteps)
	for i := range passes {
		p.moves, p.last = i < o.InnerSteps, i == passes-1
		p.train, p.summed = p.last || f.counted(i), f.summed(i)
		p.langevin.Key = f.key(particle.StreamMove)
		f.now = p
		f.evaluate(&stats)
		if err := f.checkLosses(&stats); err != nil {
			return stats, err
		}
		f.advance(f.learningRate(b.Progress))
		f.counts[countMoves]++
		if p.moves {
			f.collectMoves(&stats)
		}
	}
	f.counts[countSteps]++
	f.batch.MarkVisited(b.Number)
	if err := f.failed(); err != nil {
		return stats, err
	}
	return stats, f.checkUpdate(&stats)
}

// begin makes p the current pass. It packs weights that have changed, and gathers particles and
// images if the minibatch is new or the batch holds those of another.
func (f *flow) begin(p pass, minibatch bool) {
	f.now = p
	gather := pool.Group{Do: f.tasks.gather}
	if minibatch || !f.gathered {
		f.batch.Select(p.index)
		gather.N = p.tiles.Count
	}
	f.setup.Pool.Run(f.decoder.pack(), f.prior.pack(), gather)
	f.gathered = true
}

func (f *flow) gatherTile(i int) {
	defer f.setup.Clock.Enter(phase.Gather).End()
	lo, hi := f.now.tiles.Rows(i)
	f.batch.Gather(lo, hi)
	if f.now.restart {
		f.batch.Restart(lo, hi, f.key(particle.StreamCold))
	}
	first, last := f.now.tiles.Points(i)
	f.observe(f.setup.Train, f.now.index, first, last)
}

// evaluate computes both parts of the drift and both losses of every row and, if the parameters
// learn from it, the part of all waves but the last in the gradients by the weights.
func (f *flow) evaluate(s *Stats) {
	f.conditions.draw(f.now.index, f.key(streamDrop))
	products := throughInput
	if f.now.train {
		products = byParameters
	}
	rows := f.lanes.points * f.cloud.N // of all ranks
	f.decoder.count(s, float64(rows), products)
	if !f.now.held {
		f.prior.count(s, float64(rows*f.priorTape.Draws()), products)
		noise := f.setup.Clock.Enter(phase.Noise)
		f.priorTape.Begin(len(f.batch.IDs), f.key(diffusion.StreamLambda),
			f.key(diffusion.StreamScoreNoise), f.lanes.levels...)
		noise.End()
	}
	for w := range f.now.waves {
		f.enter(w)
		f.setup.Pool.Run(f.priorRows(), f.decoderRows())
		if f.now.train && w < len(f.now.waves)-1 {
			f.reduce(f.now.waves[w])
		}
	}
}

// enter begins wave w.
func (f *flow) enter(w int) {
	now := f.now.waves[w]
	f.now.prior = f.setup.tilesOf(now, f.priorTile, f.priorTape)
	f.now.decoder = f.setup.tilesOf(now, f.decoderTile, f.decoderTape)
	f.decoderTape.Begin(now.first * f.cloud.N)
	f.priorTape.Wave(now.first * f.cloud.N)
}

func (f *flow) priorRows() pool.Group {
	return pool.Group{N: f.now.prior.Count, Do: f.tasks.priorRows}
}

func (f *flow) runPrior(i int) {
	lo, hi := f.now.prior.Rows(i)
	z, p, loss := f.batch.Rows(f.batch.Z, lo, hi), f.batch.Rows(f.batch.P, lo, hi), f.nll[lo:hi]
	if f.now.held {
		defer f.setup.Clock.Enter(phase.Prior).End()
		copy(p, z)
		diffusion.NegLogNormal(loss, z, f.cloud.D)
		return
	}
	f.priorTape.Evaluate(diffusion.Rows{
		Lo: lo, Hi: hi, Z: z, IDs: f.batch.IDs[lo:hi], G: p, Loss: loss, Train: f.now.train,
		Condition: f.conditions.x, Particles: f.cloud.N, Clock: f.setup.Clock,
	})
}

func (f *flow) decoderRows() pool.Group {
	return pool.Group{N: f.now.decoder.Count, Do: f.tasks.decoderRows}
}

func (f *flow) runDecoder(i int) {
	lo, hi := f.now.decoder.Rows(i)
	f.gradient(f.decoderTape, likelihood.Rows{
		Lo: lo, Hi: hi, Particles: f.cloud.N, Z: f.batch.Rows(f.batch.Z, lo, hi),
		G: f.batch.Rows(f.batch.G, lo, hi), Condition: f.conditions.x, Clock: f.setup.Clock,
	})
}

// advance does what follows the evaluation. The gradients by the weights get the part of the last
// wave, and are added to the sum or, on the last pass, the optimisers make their steps at learning
// rate lr. The particles move.
func (f *flow) advance(lr float64) {
	var moves pool.Group
	if f.now.moves {
		moves = pool.Group{N: f.now.tiles.Count, Do: f.tasks.move}
	}
	lessons := [2]lesson{
		{network: f.decoder, lr: lr}, {network: f.prior, lr: f.setup.Options.ScoreLR * lr},
	}
	n := len(lessons)
	switch {
	case !f.now.train:
		n = 0
	case f.now.held:
		n = 1
	}
	for i := range lessons {
		l := &lessons[i]
		l.each, l.earlier, l.last = f.cloud.N, f.now.summed, f.now.last
	}
	f.lanes.learn(f.setup.Pool, f.now.waves[len(f.now.waves)-1], lessons[:n], moves)
}

// reduce computes the part of a wave in the gradients by the weights.
func (f *flow) reduce(w wave) {
	var prior pool.Group
	if !f.now.held {
		prior = f.prior.reduce(w, f.cloud.N)
	}
	f.setup.Pool.Run(f.decoder.reduce(w, f.cloud.N), prior)
}

func (f *flow) moveTile(i int) {
	defer f.setup.Clock.Enter(phase.Move).End()
	lo, hi := f.now.tiles.Rows(i)
	f.clip[i], f.redrawn[i] = f.batch.Move(lo, hi, f.now.langevin)
}

// collectMoves adds up the counts of the tiles' moves, and updates the running mean of z^2 by the
// minibatch's share of the cloud.
func (f *flow) collectMoves(s *Stats) {
	const square, clipped, redrawn, all = 0, 1, 2, 3
	sums := f.lanes.sum(all, func(i, from, end int, part []float64) {
		part[square] = sum(f.batch.Square[from*f.cloud.N : end*f.cloud.N])
		for tile := range f.now.tiles.Count * (1 - min(i, 1)) { // of all own lanes
			part[clipped] += float64(f.clip[tile])
			part[redrawn] += float64(f.redrawn[tile])
		}
	})
	rows := f.lanes.points * f.cloud.N
	s.Moved += float64(rows)
	s.Clipped += sums[clipped]
	s.Redrawn += sums[redrawn]
	mean := sums[square] / float64(rows*f.cloud.D)
	share := float64(f.lanes.points) / float64(f.lanes.datapoints)
	f.meanSquare[0] += (mean - f.meanSquare[0]) * share
}
