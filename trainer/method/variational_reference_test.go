package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
)

// inference is the state at a step's start, in float64, from which the reference computes the step.
type inference struct {
	*variational
	o                *config.Options
	index            []int
	phiE, phi, theta []float64
	eps              [][]float64        // of each row
	draws            [][]reference.Draw // of each row
	given            [][]float64        // conditions of the datapoints; nil: none
}

func infer(v *variational, index []int) *inference {
	s := &inference{
		variational: v, o: &v.setup.Options, index: index,
		phiE: reference.Wide(v.encoder.p), phi: reference.Wide(v.decoder.p),
		theta: reference.Wide(v.prior.p),
	}
	s.given = givenConditions(s.o, index, v.key(streamDrop))
	n := len(index) * s.o.Particles * s.o.ScoreDraws
	perm, u := make([]int, n), make([]float32, 1)
	kernel.Perm(perm, v.key(diffusion.StreamLambda))
	kernel.Uniform(u, v.key(diffusion.StreamLambda), 1<<32)
	levels := s.process().Levels(perm, float64(u[0]))
	for _, m := range index {
		for k := range s.o.Particles {
			id := uint64(m*s.o.Particles + k)
			s.eps = append(s.eps, s.noise(id, streamEncoder))
			draws := make([]reference.Draw, s.o.ScoreDraws)
			for i := range draws {
				eps := s.noise(id*uint64(s.o.ScoreDraws)+uint64(i), diffusion.StreamScoreNoise)
				draws[i] = reference.Draw{Lambda: levels[0], Eps: eps}
				levels = levels[1:]
			}
			s.draws = append(s.draws, draws)
		}
	}
	return s
}

func (s *inference) noise(id uint64, stream kernel.Stream) []float64 {
	eps := make([]float32, s.o.Latent)
	kernel.NormalRows(eps, []uint64{id}, s.o.Latent, s.key(stream))
	return reference.Wide(eps)
}

func (s *inference) process() reference.Process {
	return reference.Process{Min: s.o.LambdaMin, Max: s.o.LambdaMax}
}

func (s *inference) image(row int) []float64 {
	x := make([]float32, testDim)
	s.setup.Train.Gather(x, []int{s.index[row/s.o.Particles]})
	return reference.Wide(x)
}

func (s *inference) encode(row int) (mean, logvar []float64) {
	p := s.conditioned(params(s.setup.Encoder.Layout(), s.phiE), row)
	return reference.Encoder(p, len(s.o.EncoderWidths)+1, s.image(row))
}

// latent is mean + exp(logvar/2) eps.
func (s *inference) latent(row int) []float64 {
	mean, logvar := s.encode(row)
	z := make([]float64, len(mean))
	for j := range z {
		z[j] = mean[j] + math.Exp(logvar[j]/2)*s.eps[row][j]
	}
	return z
}

// conditioned returns the parameters of decoder or encoder with the condition of a row.
func (s *inference) conditioned(p reference.Params, row int) reference.Params {
	if s.o.Condition != config.OfBoth {
		return p
	}
	return reference.Conditioned(p, "layer0", s.given[row/s.o.Particles])
}

func (s *inference) residual(row int) reference.Residual {
	p := params(s.setup.Prior.Layout(), s.theta)
	p = reference.Conditioned(p, "emb2", s.given[row/s.o.Particles])
	score := reference.Score{Blocks: s.o.ScoreBlocks, Features: s.o.ScoreFeatures}
	return func(zl []float64, lambda float64) []float64 { return score.Residual(p, zl, lambda) }
}

func (s *inference) dataLoss(row int, z []float64) float64 {
	p := s.conditioned(params(s.setup.Decoder.Layout(), s.phi), row)
	y := reference.MLP(p, len(s.o.DecoderWidths)+1, z)
	return reference.DataLoss(y, s.image(row), s.o.ObsNoise)
}

// logDensity is log N(z; mean, diag exp(logvar)).
func logDensity(z, mean, logvar []float64) (log float64) {
	for j := range z {
		square := math.Pow(z[j]-mean[j], 2) * math.Exp(-logvar[j])
		log -= (math.Log(2*math.Pi) + logvar[j] + square) / 2
	}
	return log
}

// priorLoss is the row's estimate of -log p(z): under a diffusion prior the bound, under N(0, I)
// its mean over q.
func (s *inference) priorLoss(row int) float64 {
	if len(s.theta) == 0 { // or the prior is held there
		return s.crossEntropy(row)
	}
	return s.process().Bound(s.residual(row), s.latent(row), s.draws[row])
}

// crossEntropy is E_q -log N(z; 0, I).
func (s *inference) crossEntropy(row int) (h float64) {
	mean, logvar := s.encode(row)
	for j := range mean {
		h += (math.Log(2*math.Pi) + mean[j]*mean[j] + math.Exp(logvar[j])) / 2
	}
	return h
}

// freeEnergy is the loss of encoder and decoder, -log p(x|z) + log q(z|x) - log p(z), up to a
// constant.
func (s *inference) freeEnergy(row int) float64 {
	z := s.latent(row)
	mean, logvar := s.encode(row)
	return s.dataLoss(row, z) + logDensity(z, mean, logvar) + s.priorLoss(row)
}

// thetaLoss is theta's loss.
func (s *inference) thetaLoss(row int) (loss float64) {
	for _, d := range s.draws[row] {
		w := 1.0
		if s.o.PriorWeight == "simple" {
			w = s.process().Simple(d.Lambda)
		}
		loss += w * s.process().PriorLoss(s.residual(row), s.latent(row), d)
	}
	return loss / float64(s.o.ScoreDraws)
}

func (s *inference) mean(loss func(row int) float64) (sum float64) {
	for row := range s.eps {
		sum += loss(row)
	}
	return sum / float64(len(s.eps))
}

// checkGradients compares the gradients of all networks, by block, with central differences, and
// the parameters after the step.
func (s *inference) checkGradients(t *testing.T) {
	t.Helper()
	check := func(
		n *network, l *model.Layout, at []float64, lr float64, loss func(row int) float64,
	) {
		grad := reference.Gradient(func([]float64) float64 { return s.mean(loss) }, at)
		for _, q := range l.Params() {
			lo, hi := q.Offset, q.Offset+q.Len
			near(t, "gradient by "+n.name+" "+q.Name, n.g[lo:hi], grad[lo:hi], gradTolerance)
			after := make([]float64, q.Len)
			for j := range after {
				after[j] = at[lo+j] - lr*grad[lo+j]
			}
			near(t, n.name+" "+q.Name+" after the step", n.p[lo:hi], after, 1e-6)
		}
	}
	check(s.encoder, s.setup.Encoder.Layout(), s.phiE, s.o.LR, s.freeEnergy)
	check(s.decoder, s.setup.Decoder.Layout(), s.phi, s.o.LR, s.freeEnergy)
	if len(s.theta) > 0 {
		check(s.prior, s.setup.Prior.Layout(), s.theta, s.o.LR*s.o.ScoreLR, s.thetaLoss)
	}
}

func (s *inference) checkStats(t *testing.T, got Stats) {
	t.Helper()
	rows := float64(len(s.eps))
	data := s.mean(func(row int) float64 { return s.dataLoss(row, s.latent(row)) })
	prior := s.mean(s.priorLoss)
	entropy := s.mean(func(row int) (h float64) {
		_, logvar := s.encode(row)
		for _, l := range logvar {
			h += (1 + math.Log(2*math.Pi) + l) / 2
		}
		return h
	})
	variance := s.o.ObsNoise * s.o.ObsNoise
	nearNumber(t, "SquareError", got.SquareError, rows*data*2*variance, gradTolerance)
	constant := testDim / 2. * math.Log(2*math.Pi*variance)
	nearNumber(t, "DataLoss", got.DataLoss, rows*(data+constant), gradTolerance)
	nearNumber(t, "PriorLoss", got.PriorLoss, rows*prior, gradTolerance)
	nearNumber(t, "Entropy", got.Entropy, rows*entropy, gradTolerance)
	evaluations := rows + float64(len(s.index))
	if len(s.theta) > 0 {
		evaluations += rows * float64(s.o.ScoreDraws)
	}
	if got.Rows != rows || got.Moved != 0 || got.Steps != 1 || got.Evaluations != evaluations {
		t.Errorf("stats %+v: expected %v rows, none moved, 1 step, %v evaluations", got, rows,
			evaluations)
	}
}
