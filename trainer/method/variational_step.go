package method

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// One training step of the variational methods. It runs in phases, cut into tasks as those of flow
// (step.go), with a barrier after each:
//
//	gather  gather the images of a new minibatch
//	rows    run the encoder forward, draw latents from its output, run prior and decoder forward
//	        and backward on them, and the encoder backward
//	reduce  compute the gradients by the weights, make the optimisers' steps, and lay the weights
//	        out for the next products
//
// rows and reduce alternate if the batch has several waves.

// draws describes one draw of latents for a minibatch.
type draws struct {
	index  []int      // the B datapoints, those of the rank alone
	tiles  pool.Tiles // of their B*N rows
	waves  []wave     // the same rows in waves
	wave   pool.Tiles // of the rows of the wave under way
	key    kernel.Key // of the noise
	held   bool       // the prior is held at N(0, I)
	closed bool       // the prior is N(m, I): its part of the bound is computed in closed form
}

// Step implements Method: one step of all networks on the negative evidence lower bound of a
// minibatch.
func (v *variational) Step(b Minibatch) (Stats, error) {
	v.begin(b.Index, b.Repeat == 0, streamEncoder)
	v.conditions.draw(v.now.index, v.key(streamDrop))
	stats := Stats{Steps: 1}
	v.evaluate(&stats)
	if err := v.checkLosses(&stats); err != nil {
		return stats, err
	}
	v.learn(v.learningRate(b.Progress))
	v.counts[countDraws]++
	v.counts[countEncoderSteps]++
	return stats, v.checkUpdate(&stats)
}

// begin prepares draws of latents for the datapoints index with noise of the given stream.
// minibatch says that they are others than in the last call. It packs weights that have changed,
// and gathers new images.
func (v *variational) begin(index []int, minibatch bool, stream kernel.Stream) {
	o := &v.setup.Options
	held := v.counts[countEncoderSteps] < uint32(o.PriorWarmup)
	index = v.lanes.set(index)
	v.now = draws{
		index: index, key: v.key(stream), tiles: v.tiles(len(index)),
		waves: v.lanes.cut(&v.setup), held: held, closed: held || v.setup.Prior.Closed(),
	}
	v.ids = v.ids[:0]
	for _, m := range index {
		for n := range o.Particles {
			v.ids = append(v.ids, uint64(m*o.Particles+n))
		}
	}
	gather := pool.Group{Do: v.tasks.gather}
	if minibatch || !v.gathered {
		gather.N = v.now.tiles.Count
	}
	v.setup.Pool.Run(v.encoder.pack(), v.decoder.pack(), v.prior.pack(), gather)
	v.gathered = true
}

func (v *variational) tiles(points int) pool.Tiles {
	return v.setup.tiles(points, v.tile, v.encoderTape, v.decoderTape, v.priorTape)
}

// enter begins wave w.
func (v *variational) enter(w int) {
	n, now := v.setup.Options.Particles, v.now.waves[w]
	v.now.wave = v.setup.tilesOf(now, v.tile, v.encoderTape, v.decoderTape, v.priorTape)
	v.encoderTape.Begin(now.first)
	v.decoderTape.Begin(now.first * n)
	if v.now.closed { // a row for each datapoint
		n = 1
	}
	v.priorTape.Wave(now.first * n)
}

// draw draws latents for the datapoints index, as begin and evaluate do, without evaluating them.
func (v *variational) draw(index []int, stream kernel.Stream) {
	v.begin(index, true, stream)
	v.conditions.gather(v.now.index)
	for w := range v.now.waves {
		v.enter(w)
		v.setup.Pool.Run(pool.Group{N: v.now.wave.Count, Do: v.tasks.encode})
	}
}

func (v *variational) gatherTile(i int) {
	defer v.setup.Clock.Enter(phase.Gather).End()
	first, last := v.now.tiles.Points(i)
	v.observe(v.setup.Train, v.now.index, first, last)
}

func (v *variational) encodeTile(i int) { v.encode(i).Release() }

// encode runs the encoder forward on a tile, draws latents from its output, and computes its
// entropy.
func (v *variational) encode(i int) *model.Pass {
	defer v.setup.Clock.Enter(phase.EncoderForward).End()
	first, last := v.now.wave.Points(i)
	dim := v.likelihood.Dim()
	pass := v.encoderTape.Take(first, last)
	copy(pass.In(0), v.x[first*dim:last*dim])
	pass.SetCondition(v.conditions.x, first, 1)
	pass.Forward()
	lo, hi := v.now.wave.Rows(i)
	d := v.setup.Options.Latent
	kernel.NormalRows(v.rows(v.noise, lo, hi), v.ids[lo:hi], d, v.now.key)
	for m := first; m < last; m++ {
		v.reparametrise(m, pass.Out()[2*d*(m-first):][:2*d])
	}
	return pass
}

// reparametrise computes the N latents z = mean + exp(logvar/2) eps of datapoint m of the
// minibatch, and the entropy of its q(z|x), from the encoder's output for it. On entry noise holds
// eps, and then z - mean.
func (v *variational) reparametrise(m int, out []float32) {
	n, d := v.setup.Options.Particles, v.setup.Options.Latent
	mean, logvar := v.rows(v.mean, m, m+1), v.rows(v.logvar, m, m+1)
	copy(mean, out)
	copy(logvar, out[d:])
	entropy := float64(d) / 2 * (1 + math.Log(2*math.Pi))
	for j, l := range logvar {
		entropy += float64(l) / 2
		std := float32(math.Exp(float64(l) / 2))
		for k := m*n*d + j; k < (m+1)*n*d; k += d {
			v.noise[k] *= std
			v.z[k] = mean[j] + v.noise[k]
		}
	}
	v.entropy[m] = float32(entropy)
}

// evaluate draws latents and computes the losses of every row, and the part of all waves but the
// last in their gradients by the weights.
func (v *variational) evaluate(s *Stats) {
	points := v.lanes.points // of all ranks
	rows := points * v.setup.Options.Particles
	v.encoder.count(s, float64(points), byParameters)
	v.decoder.count(s, float64(rows), byParameters)
	if !v.now.closed {
		v.prior.count(s, float64(rows*v.priorTape.Draws()), byParameters)
		noise := v.setup.Clock.Enter(phase.Noise)
		v.priorTape.Begin(len(v.ids), v.key(diffusion.StreamLambda),
			v.key(diffusion.StreamScoreNoise), v.lanes.levels...)
		noise.End()
	}
	for w := range v.now.waves {
		v.enter(w)
		v.setup.Pool.Run(pool.Group{N: v.now.wave.Count, Do: v.tasks.rows})
		if w < len(v.now.waves)-1 {
			v.reduce(v.now.waves[w])
		}
	}
}

// rowsTile runs a tile through all networks, forward and back.
func (v *variational) rowsTile(i int) {
	pass := v.encode(i)
	defer pass.Release()
	v.priorTile(i)
	v.decoderTile(i)
	v.backwardTile(i, pass)
}

func (v *variational) decoderTile(i int) {
	lo, hi := v.now.wave.Rows(i)
	v.gradient(v.decoderTape, likelihood.Rows{
		Lo: lo, Hi: hi, Particles: v.setup.Options.Particles, Z: v.rows(v.z, lo, hi),
		G: v.rows(v.g, lo, hi), Condition: v.conditions.x, Clock: v.setup.Clock,
	})
}

func (v *variational) priorTile(i int) {
	if v.now.closed {
		v.closedGradient(v.now.wave.Points(i))
		return
	}
	lo, hi := v.now.wave.Rows(i)
	v.priorTape.Evaluate(diffusion.Rows{
		Lo: lo, Hi: hi, Z: v.rows(v.z, lo, hi), IDs: v.ids[lo:hi], G: v.rows(v.p, lo, hi),
		Loss: v.nll[lo:hi], Train: true, Condition: v.conditions.x,
		Particles: v.setup.Options.Particles, Clock: v.setup.Clock,
	})
}

// closedGradient computes, for datapoints first to last of the minibatch, the cross-entropy of q
// with a prior N(m, I) and its gradient by the mean of q. E[-log p(z)] is -log p(mean) + sum of
// exp(logvar)/2.
func (v *variational) closedGradient(first, last int) {
	d := v.setup.Options.Latent
	mean, p, loss := v.rows(v.mean, first, last), v.rows(v.p, first, last), v.nll[first:last]
	if !v.now.held {
		v.priorTape.Evaluate(diffusion.Rows{
			Lo: first, Hi: last, Z: mean, IDs: v.ids[first:last], G: p, Loss: loss, Train: true,
			Clock: v.setup.Clock,
		})
	}
	defer v.setup.Clock.Enter(phase.Prior).End()
	if v.now.held {
		copy(p, mean)
		diffusion.NegLogNormal(loss, mean, d)
	}
	for m := range loss {
		var variance float64
		for _, l := range v.rows(v.logvar, first+m, first+m+1) {
			variance += math.Exp(float64(l))
		}
		loss[m] += float32(variance / 2)
	}
}

// backwardTile runs the encoder backward. With g the gradient of decoder and prior by z, the
// gradient of the loss by the encoder's output is, averaged over the draws of a datapoint,
//
//	by mean: g,   by logvar: g (z - mean)/2 - 1/2.
//
// The term -1/2 is that of log q(z|x), whose mean is minus the entropy; it widens q. With a prior
// in closed form, g is the decoder's alone, and the prior adds its gradient at the mean to the
// first and exp(logvar)/2 to the second.
func (v *variational) backwardTile(i int, pass *model.Pass) {
	defer v.setup.Clock.Enter(phase.EncoderBackward).End()
	first, last := v.now.wave.Points(i)
	d := v.setup.Options.Latent
	for m := first; m < last; m++ {
		v.throughDraws(m, pass.DOut()[2*d*(m-first):][:2*d])
	}
	pass.Backward(nil)
}

// throughDraws sets out to the gradient by the encoder's output for datapoint m of the minibatch.
func (v *variational) throughDraws(m int, out []float32) {
	n, d, logvar := v.setup.Options.Particles, v.setup.Options.Latent, v.rows(v.logvar, m, m+1)
	share := 1 / float32(n)
	for j := range d {
		var byMean, byLogvar float32
		for k := m*n*d + j; k < (m+1)*n*d; k += d {
			g := v.g[k]
			if !v.now.closed {
				g += v.p[k]
			}
			byMean += g
			byLogvar += float32(g * v.noise[k])
		}
		byMean *= share
		byLogvar = float32(byLogvar*share)/2 - 0.5
		if v.now.closed {
			byMean += v.p[m*d+j]
			byLogvar += float32(math.Exp(float64(logvar[j])) / 2)
		}
		out[j], out[d+j] = byMean, byLogvar
	}
}

// each are the rows of a datapoint over which the losses of decoder and prior are means; the
// encoder has one.
func (v *variational) each() (decoder, prior int) {
	if v.now.closed {
		return v.setup.Options.Particles, 1
	}
	return v.setup.Options.Particles, v.setup.Options.Particles
}

// reduce computes the part of a wave in the gradients by the weights.
func (v *variational) reduce(w wave) {
	decoder, prior := v.each()
	groups := [...]pool.Group{v.encoder.reduce(w, 1), v.decoder.reduce(w, decoder), {}}
	if !v.now.held {
		groups[2] = v.prior.reduce(w, prior)
	}
	v.setup.Pool.Run(groups[:]...)
}

// learn computes the part of the last wave, and makes a step of each optimiser at learning rate lr.
func (v *variational) learn(lr float64) {
	decoder, prior := v.each()
	lessons := [...]lesson{
		{network: v.encoder, each: 1, last: true, lr: lr},
		{network: v.decoder, each: decoder, last: true, lr: lr},
		{network: v.prior, each: prior, last: true, lr: v.setup.Options.ScoreLR * lr},
	}
	n := len(lessons)
	if v.now.held {
		n--
	}
	v.lanes.learn(v.setup.Pool, v.now.waves[len(v.now.waves)-1], lessons[:n], pool.Group{})
}

// collect adds up the losses of the rows.
func (v *variational) collect(s *Stats) {
	each, draws := v.each()
	rows := lossRows{v.loss, v.square, v.nll, v.entropy, each, draws, v.priorTape}
	if v.now.closed {
		rows.tape = nil
	}
	v.lanes.losses(s, rows)
}
