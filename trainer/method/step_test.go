package method

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
)

// gradTolerance bounds |float32 result - float64 reference| / |reference| per block of numbers:
// float32 rounding (6e-8 per operation) through both networks, their backward passes and the
// argument of the fastest sinusoid. The largest seen is 2e-6.
const gradTolerance = 1e-5

// snapshot is the state at a step's start, in float64, from which the reference computes the step.
type snapshot struct {
	*flow
	o          *config.Options
	index      []int
	phi, theta []float64
	z, u       [][]float64 // rows of the minibatch
	anchor     float64
	draws      [][]reference.Draw // of each row
	ids        []uint64
	moves      uint32
	given      [][]float64 // conditions of the datapoints; nil: none
}

func snap(f *flow, index []int) *snapshot {
	s := &snapshot{
		flow: f, o: &f.setup.Options, index: index, moves: f.counts[countMoves],
		phi: reference.Wide(f.decoder.p), theta: reference.Wide(f.prior.p),
	}
	d := s.o.Latent
	for _, m := range index {
		for n := range s.o.Particles {
			row := m*s.o.Particles + n
			s.ids = append(s.ids, uint64(row))
			s.z = append(s.z, reference.Wide(f.cloud.Z[row*d:(row+1)*d]))
			if f.cloud.U != nil {
				s.u = append(s.u, reference.Wide(f.cloud.U[row*d:(row+1)*d]))
			}
		}
	}
	s.anchor = s.o.ScaleAnchor * max(0, f.meanSquare[0]-1)
	s.given = givenConditions(s.o, index, s.key(streamDrop))
	s.record()
	return s
}

// givenConditions are the conditions of some datapoints in a step, as ALGORITHM.md section 4 says:
// ones at the labels, or zeros where the uniform number of the datapoint is condition_drop or less.
func givenConditions(o *config.Options, index []int, key kernel.Key) (all [][]float64) {
	if !o.Conditional() {
		return make([][]float64, len(index))
	}
	for _, m := range index {
		c, u := make([]float64, o.Classes), make([]float32, 1)
		kernel.Uniform(u, key, uint64(m))
		if label := testLabels[m]; label >= 0 && float64(u[0]) > o.ConditionDrop {
			c[label] = 1
		}
		all = append(all, c)
	}
	return all
}

// residual is that of the score network of row i.
func (s *snapshot) residual(i int) reference.Residual {
	p := params(s.setup.Prior.Layout(), s.theta)
	p = reference.Conditioned(p, "emb2", s.given[i/s.o.Particles])
	score := reference.Score{Blocks: s.o.ScoreBlocks, Features: s.o.ScoreFeatures}
	return func(zl []float64, lambda float64) []float64 { return score.Residual(p, zl, lambda) }
}

// decode is the decoder of row i.
func (s *snapshot) decode(i int, z []float64) []float64 {
	p := params(s.setup.Decoder.Layout(), s.phi)
	if s.o.Condition == config.OfBoth {
		p = reference.Conditioned(p, "layer0", s.given[i/s.o.Particles])
	}
	return reference.MLP(p, len(s.o.DecoderWidths)+1, z)
}

func (s *snapshot) key(stream kernel.Stream) kernel.Key {
	return kernel.Key{Seed: s.setup.Seed, Step: s.moves, Stream: stream}
}

// record draws the step's levels and noise from the stream, as ALGORITHM.md section 4 and the
// comment of BoundTape.Begin say: draw k of row id is row id*draws + k.
func (s *snapshot) record() {
	n := len(s.ids) * s.o.ScoreDraws
	perm, u := make([]int, n), make([]float32, 1)
	kernel.Perm(perm, s.key(diffusion.StreamLambda))
	kernel.Uniform(u, s.key(diffusion.StreamLambda), 1<<32)
	levels := s.process().Levels(perm, float64(u[0]))
	for i, id := range s.ids {
		draws := make([]reference.Draw, s.o.ScoreDraws)
		for k := range draws {
			eps := make([]float32, s.o.Latent)
			row := id*uint64(s.o.ScoreDraws) + uint64(k)
			kernel.NormalRows(eps, []uint64{row}, s.o.Latent, s.key(diffusion.StreamScoreNoise))
			draws[k] = reference.Draw{Lambda: levels[i*s.o.ScoreDraws+k], Eps: reference.Wide(eps)}
		}
		s.draws = append(s.draws, draws)
	}
}

func (s *snapshot) process() reference.Process {
	return reference.Process{Min: s.o.LambdaMin, Max: s.o.LambdaMax}
}

// dataLoss is the decoder's loss of row i, at z.
func (s *snapshot) dataLoss(i int, z []float64) float64 {
	x := make([]float32, s.setup.Decoder.Out())
	s.setup.Train.Gather(x, []int{s.index[i/s.o.Particles]})
	return reference.DataLoss(s.decode(i, z), reference.Wide(x), s.o.ObsNoise)
}

// thetaLoss is theta's loss of row i.
func (s *snapshot) thetaLoss(i int) (loss float64) {
	for _, d := range s.draws[i] {
		w := 1.0
		if s.o.PriorWeight == "simple" {
			w = s.process().Simple(d.Lambda)
		}
		loss += w * s.process().PriorLoss(s.residual(i), s.z[i], d) / float64(s.o.ScoreDraws)
	}
	return loss
}

func (s *snapshot) priorDrift(i int) []float64 {
	switch {
	case s.o.PriorDrift == "score":
		return s.process().ScoreDrift(s.residual(i), s.z[i])
	case s.o.ControlVariate:
		return s.process().ControlVariate(s.residual(i), s.z[i], s.draws[i])
	}
	return reference.Gradient(func(z []float64) float64 {
		return s.process().Bound(s.residual(i), z, s.draws[i])
	}, s.z[i])
}

// mean is the mean of loss over the rows.
func (s *snapshot) mean(loss func(i int) float64) (sum float64) {
	for i := range s.ids {
		sum += loss(i)
	}
	return sum / float64(len(s.ids))
}

// checkDrift compares both parts of the drift and returns their sum with the anchor's.
func (s *snapshot) checkDrift(t *testing.T) (drift [][]float64) {
	t.Helper()
	n := len(s.ids) * s.o.Latent
	var data, prior []float64
	for i, z := range s.z {
		g := reference.Gradient(func(z []float64) float64 { return s.dataLoss(i, z) }, z)
		p := s.priorDrift(i)
		sum := make([]float64, s.o.Latent)
		for j := range sum {
			sum[j] = g[j] + p[j] + s.anchor*z[j]
		}
		data, prior, drift = append(data, g...), append(prior, p...), append(drift, sum)
	}
	near(t, "z through the decoder", s.batch.G[:n], data, gradTolerance)
	near(t, "z through the score network", s.batch.P[:n], prior, gradTolerance)
	return drift
}

// checkParameters compares the gradients by block, and the parameters after the step.
func (s *snapshot) checkParameters(t *testing.T) {
	t.Helper()
	phi := reference.Gradient(func([]float64) float64 {
		return s.mean(func(i int) float64 { return s.dataLoss(i, s.z[i]) })
	}, s.phi)
	theta := reference.Gradient(func([]float64) float64 { return s.mean(s.thetaLoss) }, s.theta)
	check := func(n *network, l *model.Layout, before, grad []float64, lr float64) {
		for _, q := range l.Params() {
			at := func(x []float64) []float64 { return x[q.Offset : q.Offset+q.Len] }
			near(t, "gradient by "+n.name+" "+q.Name, n.g[q.Offset:q.Offset+q.Len], at(grad),
				gradTolerance)
			after := make([]float64, q.Len)
			for j, g := range at(grad) {
				after[j] = at(before)[j] - lr*g
			}
			near(t, n.name+" "+q.Name+" after the step", n.p[q.Offset:q.Offset+q.Len], after, 1e-6)
		}
	}
	check(s.decoder, s.setup.Decoder.Layout(), s.phi, phi, s.o.LR)
	check(s.prior, s.setup.Prior.Layout(), s.theta, theta, s.o.LR*s.o.ScoreLR)
}

// checkMove compares the particles after the step with a Langevin move of the old ones at the
// old parameters: that is the simultaneous update.
func (s *snapshot) checkMove(t *testing.T, drift [][]float64) {
	t.Helper()
	h, d := s.o.StepSize, s.o.Latent
	for i, id := range s.ids {
		xi := make([]float32, d)
		kernel.NormalRows(xi, []uint64{id}, d, s.key(particle.StreamMove))
		move := make([]float64, d)
		for j := range move {
			if s.u == nil {
				move[j] = -h*drift[i][j] + math.Sqrt(2*h)*float64(xi[j])
			} else {
				move[j] = (1-s.o.Friction)*s.u[i][j] - h*drift[i][j] +
					math.Sqrt(2*s.o.Friction*h)*float64(xi[j])
			}
		}
		moved := make([]float32, d)
		for j := range moved {
			moved[j] = float32(float64(s.cloud.Z[int(id)*d+j]) - s.z[i][j])
		}
		near(t, fmt.Sprintf("move of particle %d", id), moved, move, gradTolerance)
		if s.u != nil {
			near(t, fmt.Sprintf("velocity of particle %d", id), s.cloud.U[int(id)*d:(int(id)+1)*d],
				move, gradTolerance)
		}
	}
}

func (s *snapshot) checkStats(t *testing.T, got Stats) {
	t.Helper()
	rows := float64(len(s.ids))
	var data, prior float64
	for i, z := range s.z {
		data += s.dataLoss(i, z)
		prior += s.process().Bound(s.residual(i), z, s.draws[i])
	}
	variance := s.o.ObsNoise * s.o.ObsNoise
	nearNumber(t, "SquareError", got.SquareError, data*2*variance, gradTolerance)
	constant := float64(s.setup.Decoder.Out()) / 2 * math.Log(2*math.Pi*variance)
	nearNumber(t, "DataLoss", got.DataLoss, data+rows*constant, gradTolerance)
	nearNumber(t, "PriorLoss", got.PriorLoss, prior, gradTolerance)
	if got.Rows != rows || got.Moved != rows || got.Steps != 1 {
		t.Errorf("steps %v, rows %v, moved %v: expected 1, %v, %v", got.Steps, got.Rows, got.Moved,
			rows, rows)
	}
	nearNumber(t, "anchor + 1", got.Anchor+1, s.anchor+1, 1e-6)
}

// A step agrees with the reference: its four gradients with central differences, the moves of the
// particles and of the parameters, both from the state at the step's start, and the losses that it
// reports. The second of two steps on different, unordered minibatches has other counters, and
// velocities that are not zero.
func TestStepAgainstReference(t *testing.T) {
	var all []config.Options
	for i, cv := range []bool{false, true} {
		for j, weight := range diffusion.Weights {
			for k, draws := range []int{1, 3} {
				for l, particles := range []int{1, 3} {
					o := small()
					o.ControlVariate, o.PriorWeight = cv, weight
					o.ScoreDraws, o.Particles = draws, particles
					if (i+j+k+l)%2 == 1 {
						o.Dynamics, o.ScaleAnchor = "underdamped", 2
					}
					all = append(all, o)
				}
			}
		}
	}
	for i := range all { // some with conditions
		if i > 4 {
			all[i].Condition = []config.Condition{config.OfPrior, config.OfBoth, "none"}[i%3]
			all[i].Classes, all[i].ConditionDrop = 3, 0.4
		}
	}
	score := small()
	score.Condition, score.Classes, score.ConditionDrop = config.OfPrior, 3, 0.4
	score.PriorDrift, score.ScoreDraws, score.Particles, score.PriorWeight = "score", 2, 2, "simple"
	for _, o := range append(all, score) {
		name := fmt.Sprintf("cv=%v weight=%s draws=%d N=%d %s drift=%s condition=%s",
			o.ControlVariate, o.PriorWeight, o.ScoreDraws, o.Particles, o.Dynamics, o.PriorDrift,
			o.Condition)
		t.Run(name, func(t *testing.T) {
			f := newFlow(t, "ipld", o, 5)
			for i := range f.cloud.Z { // wide enough for the anchor to pull
				f.cloud.Z[i] *= 1.5
			}
			f.meanSquare[0] = f.cloud.Stats().MeanSquare
			for number, index := range [][]int{{7, 0, 4, 8, 2}, {3, 8, 1, 4}} {
				s := snap(f, index)
				stats := mustStep(t, f, Minibatch{Index: index, Number: uint32(number)})
				drift := s.checkDrift(t)
				if number > 0 { // the most expensive check, once
					s.checkParameters(t)
				}
				s.checkMove(t, drift)
				s.checkStats(t, stats)
			}
		})
	}
}

// Particles of other datapoints stay where they are.
func TestOnlyTheMinibatchMoves(t *testing.T) {
	o := small()
	o.Particles = 2
	f := newFlow(t, "ipld", o, 3)
	before := slices.Clone(f.cloud.Z)
	index := []int{6, 1}
	mustStep(t, f, Minibatch{Index: index})
	for i := range f.cloud.Z {
		m := i / (o.Particles * o.Latent)
		if moved := f.cloud.Z[i] != before[i]; moved != slices.Contains(index, m) {
			t.Errorf("coordinate %d of datapoint %d moved: %v", i, m, moved)
		}
	}
}
