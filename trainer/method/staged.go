package method

import (
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
)

// firstStage is a method whose prior is fixed, and that can be frozen.
type firstStage interface {
	Method
	// networks are the decoder and the encoder, nil where there is none.
	networks() (decoder, encoder *network)
	// latents are those of a minibatch under the frozen model, with their addresses in the noise
	// stream: an encoder draws them anew at each call. They are the receiver's until the next call.
	latents(index []int) (z []float32, ids []uint64)
	// losses are the sums over the latents returned last.
	losses() Stats
	// locate finds the first place behind losses that are not finite.
	locate() *Fault
}

// Staged is a method in two stages. The first, with the prior N(0, I), takes the share 1 - prior_share of the
// training and is then frozen, at its averaged weights. In the second a prior is fitted to its latents, by the
// prior's part of the free energy alone; a Standardised prior is first given the mean and the standard deviation of each
// dimension over all training images. Schedules run their whole length in each stage.
// The second stage is not left again when a run is made longer: its schedules then go on from where the new length
// puts them, and the first stage stays as it is.
//
// Until the second stage the prior that it fits is as it starts, and for a diffusion that is N(0, I), the first
// stage's own.
type Staged struct {
	Setup
	first  firstStage
	prior  *network
	tape   PriorTape
	g, nll []float32

	counts []uint32  // 1 since the second stage began; its steps
	frozen []float64 // squared error, data loss, entropy: means over the rows of all training images

	// Of the step under way.
	index []int
	z     []float32
	ids   []uint64
	tiles int

	packTask, rowsTask, weightTask, updateTask func(int)
}

const (
	countSecond = iota
	countSecondSteps
)

const (
	frozenSquare = iota
	frozenData
	frozenEntropy
)

// NewStaged builds the method whose first stage build makes, with the prior N(0, I), and whose second fits s.Prior.
func NewStaged(s Setup, build func(Setup) (firstStage, error)) (*Staged, error) {
	if s.Steps > 0 && float64(s.Steps)*s.PriorShare < 1 {
		return nil, fmt.Errorf("prior_share = %v: expected at least one of the %d steps of the training", s.PriorShare, s.Steps)
	}
	initial := s
	initial.Prior = Gaussian{Latent: s.Latent}
	first, err := build(initial)
	if err != nil {
		return nil, err
	}
	rows := s.Batch * s.Particles
	t := &Staged{
		Setup: s, first: first, g: kernel.Floats(rows * s.Latent), nll: kernel.Floats(rows),
		counts: make([]uint32, 2), frozen: make([]float64, 3),
	}
	if t.prior, err = newNetwork("prior", s.Prior.Layout(), s.Options, s.Seed, priorNet); err != nil {
		return nil, errors.Join(err, first.Close())
	}
	t.tape = s.Prior.NewTape(t.prior.p, rows)
	t.packTask, t.rowsTask, t.weightTask, t.updateTask = t.tape.Pack, t.rows, t.weight, t.update
	return t, nil
}

// second tells whether the second stage began.
func (t *Staged) second() bool { return t.counts[countSecond] != 0 }

// progress is the share of each stage that is done when done is that of the training.
func (t *Staged) progress(done float64) (first, second float64) {
	start := 1 - t.PriorShare
	return min(1, done/start), max(0, (done-start)/t.PriorShare)
}

// Step implements Method.
func (t *Staged) Step(b Minibatch) (Stats, error) {
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
	t.evaluate(b.Index)
	if err := t.Err(); err != nil {
		return stats, err
	}
	t.collect(&stats)
	if err := t.checkLoss(); err != nil {
		return stats, err
	}
	t.fit(t.ScoreLR * t.learningRate(second))
	return stats, t.checkUpdate(&stats)
}

// Slow implements Method, for both stages.
func (t *Staged) Slow(factor float64) {
	t.Setup.Slow(factor)
	t.first.Slow(factor)
}

// evaluate computes the prior's loss on the latents of a minibatch, and its gradients.
func (t *Staged) evaluate(index []int) {
	t.index = index
	t.z, t.ids = t.first.latents(index)
	t.tiles = t.tilesOf(len(t.ids))
	key := kernel.Key{Seed: t.Seed, Step: t.counts[countSecondSteps], Stream: kernel.StreamLambda}
	noise := key
	noise.Stream = kernel.StreamScoreNoise
	t.tape.Begin(len(t.ids), key, noise)
	t.Pool.Run(t.tape.PackTasks(true), t.packTask)
	t.Pool.Run(t.tiles, t.rowsTask)
}

// fit makes one step of the prior on the minibatch evaluated last.
func (t *Staged) fit(lr float64) {
	t.Pool.Run(t.tape.GradTasks(), t.weightTask)
	t.prior.opt.Begin(lr)
	t.Pool.Run(t.prior.updateTasks(), t.updateTask)
	t.counts[countSecondSteps]++
}

// collect adds up the prior's loss; the rest of the stats is the frozen model's, over all training images.
func (t *Staged) collect(s *Stats) {
	rows := float64(len(t.ids))
	_, encoder := t.first.networks()
	if encoder != nil { // latents are drawn anew
		s.Moved = rows
		s.Evaluations += rows / float64(t.Particles) * encoder.passes(1)
	}
	s.Evaluations += rows * t.prior.passes(t.ScoreDraws)
	s.Rows = rows
	s.SquareError, s.DataLoss, s.Entropy = rows*t.frozen[frozenSquare], rows*t.frozen[frozenData], rows*t.frozen[frozenEntropy]
	s.PriorLoss = sum(t.nll[:len(t.ids)])
}

// freeze begins the second stage: the first keeps its averaged weights, its latents are standardised, and its
// losses measured.
func (t *Staged) freeze(s *Stats) {
	decoder, encoder := t.first.networks()
	for _, n := range []*network{decoder, encoder} {
		if n != nil {
			copy(n.p, n.opt.Averaged(n.p))
		}
	}
	t.first.Restored() // whose weights are new
	total, mean, std := t.survey()
	s.Evaluations += total.Evaluations
	t.frozen[frozenSquare] = total.SquareError / total.Rows
	t.frozen[frozenData] = total.DataLoss / total.Rows
	t.frozen[frozenEntropy] = total.Entropy / total.Rows
	if p, ok := t.Prior.(*Standardised); ok {
		p.Set(t.prior.p, mean, std)
		if t.prior.opt.EMA != nil {
			p.Set(t.prior.opt.EMA, mean, std)
		}
	}
	t.counts[countSecond] = 1
}

// survey adds up the losses over all training images, and measures the mean and the standard deviation of their
// latents by the updates of Welford (1962).
func (t *Staged) survey() (total Stats, mean, std []float64) {
	d, m := t.Latent, t.Train.Len()
	mean, std = make([]float64, d), make([]float64, d)
	n := 0.0
	for lo := 0; lo < m; lo += t.Batch {
		z, _ := t.first.latents(consecutive(lo, min(lo+t.Batch, m)))
		for i := 0; i < len(z); i += d {
			n++
			for j, v := range z[i : i+d] {
				step := float64(v) - mean[j]
				mean[j] += step / n
				std[j] += step * (float64(v) - mean[j])
			}
		}
		total.Add(t.first.losses())
	}
	for j, square := range std {
		if std[j] = math.Sqrt(square / n); !(std[j] > 0) {
			std[j] = 1 // a dimension that is constant has no scale
		}
	}
	return total, mean, std
}
