package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// One training step of a method in two stages. In the first stage it is a step of the first stage's
// method. In the second it fits the prior to latents of the frozen first stage, in phases with a
// barrier after each:
//
//	rows    run the prior forward and backward on the latents
//	reduce  compute the gradient by the prior's weights, make the optimiser's step, and lay the
//	        weights out for the next products
//
// The first step of the second stage begins by freezing the first (freeze).

// fit describes one evaluation of the prior on latents of the frozen first stage.
type fit struct {
	index []int      // the B datapoints, those of the rank alone
	waves []wave     // their B*N rows in waves
	wave  pool.Tiles // of the rows of the wave under way
	z     []float32  // latents, B*N x d
	ids   []uint64   // their addresses in the noise stream
}

// Step implements Method: a step of the stage that the progress of the training has reached.
func (t *staged) Step(b Minibatch) (Stats, error) {
	first, second := t.progress(b.Progress)
	if !t.second() && first < 1 {
		b.Progress = first
		return t.first.Step(b)
	}
	stats := Stats{Steps: 1}
	if !t.second() {
		t.freeze(&stats)
		if err := t.checkFrozen(); err != nil {
			return stats, err
		}
	}
	z, ids := t.first.latents(b.Index)
	own := t.lanes.set(b.Index)
	t.now = fit{index: own, waves: t.lanes.cut(&t.setup), z: z, ids: ids}
	t.evaluate()
	if err := t.Err(); err != nil {
		return stats, err
	}
	t.collect(&stats)
	if err := t.checkLoss(&stats); err != nil {
		return stats, err
	}
	t.learn(t.setup.Options.ScoreLR * t.learningRate(second))
	t.counts[countSecondSteps]++
	return stats, t.checkUpdate(&stats)
}

// evaluate computes the prior's loss of every row, and the part of all waves but the last in its
// gradient by the prior's weights.
func (t *staged) evaluate() {
	t.conditions.draw(t.now.index, t.key(streamDrop))
	noise := t.setup.Clock.Enter(phase.Noise)
	t.tape.Begin(len(t.now.ids), t.key(diffusion.StreamLambda), t.key(diffusion.StreamScoreNoise),
		t.lanes.levels...)
	noise.End()
	t.setup.Pool.Run(t.prior.pack())
	n := t.setup.Options.Particles
	for i, w := range t.now.waves {
		t.now.wave = t.setup.tilesOf(w, t.tile, t.tape)
		t.tape.Wave(w.first * n)
		t.setup.Pool.Run(pool.Group{N: t.now.wave.Count, Do: t.rowsTask})
		if i < len(t.now.waves)-1 {
			t.setup.Pool.Run(t.prior.reduce(w, n))
		}
	}
}

// key is the key of stream s for the current step of the second stage.
func (t *staged) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: t.setup.Seed, Step: t.counts[countSecondSteps], Stream: s}
}

func (t *staged) priorTile(i int) {
	lo, hi := t.now.wave.Rows(i)
	d := t.setup.Options.Latent
	t.tape.Evaluate(diffusion.Rows{
		Lo: lo, Hi: hi, Z: t.now.z[lo*d : hi*d], IDs: t.now.ids[lo:hi], G: t.g[lo*d : hi*d],
		Loss: t.nll[lo:hi], Train: true, Condition: t.conditions.x,
		Particles: t.setup.Options.Particles, Clock: t.setup.Clock,
	})
}

// learn computes the part of the last wave, and makes a step of the prior's optimiser at learning
// rate lr.
func (t *staged) learn(lr float64) {
	lessons := [...]lesson{
		{network: t.prior, each: t.setup.Options.Particles, last: true, lr: lr},
	}
	t.lanes.learn(t.setup.Pool, t.now.waves[len(t.now.waves)-1], lessons[:], pool.Group{})
}

// collect sets the stats of the step. The prior's loss is that of the minibatch; the other losses
// are the frozen model's means over all training images.
func (t *staged) collect(s *Stats) {
	o := &t.setup.Options
	rows := float64(t.lanes.points * o.Particles)
	_, encoder := t.first.networks()
	if encoder != nil { // latents are drawn anew
		encoder.count(s, rows/float64(o.Particles), onlyForward)
	}
	t.prior.count(s, rows*float64(t.tape.Draws()), byParameters)
	n := o.Particles
	t.lanes.losses(s, lossRows{prior: t.nll, each: n, draws: n, tape: t.tape})
	s.Rows = rows
	s.SquareError, s.DataLoss = rows*t.frozen[frozenSquare], rows*t.frozen[frozenData]
	s.Entropy = rows * t.frozen[frozenEntropy]
}

// freeze begins the second stage. The first stage's weights become their averages, its losses are
// measured over all training images, and the prior gets the mean and scale of its latents.
func (t *staged) freeze(s *Stats) {
	decoder, encoder := t.first.networks()
	for _, n := range []*network{decoder, encoder} {
		if n != nil {
			copy(n.p, n.opt.Averaged(n.p))
		}
	}
	t.first.Restored() // its weights have changed
	total, mean, std := t.survey()
	s.Evaluations += total.Evaluations
	s.Operations += total.Operations
	t.frozen[frozenSquare] = total.SquareError / total.Rows
	t.frozen[frozenData] = total.DataLoss / total.Rows
	t.frozen[frozenEntropy] = total.Entropy / total.Rows
	t.setup.Prior.Standardise(t.prior.p, mean, std)
	if t.prior.opt.EMA != nil {
		t.setup.Prior.Standardise(t.prior.opt.EMA, mean, std)
	}
	t.counts[countSecond] = 1
}

// survey sums the losses over all training images, and computes the mean and the standard deviation
// of each dimension of their latents.
func (t *staged) survey() (total Stats, mean, std []float64) {
	l, o := t.lanes, &t.setup.Options
	latents := make([]spread, l.count)
	for i := range latents {
		latents[i] = newSpread(o.Latent)
	}
	longest := pool.Pieces(l.datapoints, l.all)
	for lo := 0; lo < longest; lo += t.setup.laneBatch {
		index := l.inOrder(lo, lo+t.setup.laneBatch)
		z, _ := t.first.latents(index)
		l.set(index)
		width := o.Particles * o.Latent
		for i := range latents {
			latents[i].add(z[l.start(i)*width : l.ends[i]*width])
		}
		total.Add(t.first.losses())
	}
	numbers := l.gather(1+2*o.Latent, func(i, _, _ int, part []float64) { latents[i].pack(part) })
	mean, std = joinSpreads(numbers, l.all, o.Latent)
	return total, mean, std
}
