package method

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

// frozenLatents are the latents of all datapoints that the second stage begins with, in float64.
func frozenLatents(s *staged) (z [][]float64) {
	switch first := s.first.(type) {
	case *flow:
		for i := 0; i < len(first.cloud.Z); i += s.setup.Options.Latent {
			z = append(z, reference.Wide(first.cloud.Z[i:i+s.setup.Options.Latent]))
		}
	case *variational:
		for lo := 0; lo < testPoints; lo += s.setup.Batch {
			v := infer(first, data.Range(lo, min(lo+s.setup.Batch, testPoints)))
			for row := range v.eps {
				z = append(z, v.latent(row))
			}
			first.counts[countDraws]++
		}
	}
	return z
}

// atTheSwitch returns a method with random prior parameters before the first step of its second
// stage, and the latents that this step will use.
func atTheSwitch(t *testing.T, name config.Method, o config.Options) (*staged, [][]float64) {
	s := startStaged(t, name, o)
	for k := range stagedSteps / 2 {
		takeStep(t, s, stagedBatch(k))
	}
	copy(s.prior.p, reference.Normals(len(s.prior.p)-2*o.Latent, 20, 0.4))
	ahead := startStaged(t, name, o) // a copy, to compute the latents in advance
	carry(s, ahead)
	decoder, encoder := ahead.first.networks()
	for _, n := range []*network{decoder, encoder} {
		if n != nil {
			copy(n.p, n.opt.EMA)
		}
	}
	return s, frozenLatents(ahead)
}

// The first step of the second stage stores the latents' mean and standard deviation in the prior's
// parameters and average, and reports the frozen model's losses. Its gradient is that of the
// prior's loss on the standardised latents.
func TestSecondStage(t *testing.T) {
	for _, name := range stagedMethods {
		o := smallEncoder()
		o.Particles, o.EMA, o.ScoreDraws = 2, 0.5, 2
		s, z := atTheSwitch(t, name, o)
		b := stagedBatch(stagedSteps / 2)
		stats := takeStep(t, s, b)
		for _, p := range [][]float32{s.prior.p, s.prior.opt.EMA} {
			mean, logScale := standardOf(s, p)
			checkStandardised(t, string(name), mean, logScale, z)
		}
		checkFrozenStats(t, s, stats, z)
		checkFit(t, s, b.Index, z)
	}
}

// checkStandardised compares mean and log scale with those of the latents.
func checkStandardised(t *testing.T, name string, mean, logScale []float32, z [][]float64) {
	t.Helper()
	for j := range mean {
		var m, v float64
		for _, row := range z {
			m += row[j] / float64(len(z))
		}
		for _, row := range z {
			v += (row[j] - m) * (row[j] - m) / float64(len(z))
		}
		nearNumber(t, name+" mean", float64(mean[j]), m, 1e-5)
		nearNumber(t, name+" scale", math.Exp(float64(logScale[j])), math.Sqrt(v), 1e-5)
	}
}

// checkFrozenStats compares what a step of the second stage reports with the losses of all latents.
func checkFrozenStats(t *testing.T, s *staged, got Stats, z [][]float64) {
	t.Helper()
	decoder, encoder := s.first.networks()
	p := params(s.setup.Decoder.Layout(), reference.Wide(decoder.p))
	var square float64
	for i, row := range z {
		x := make([]float32, testDim)
		s.setup.Train.Gather(x, []int{i / s.setup.Options.Particles})
		y := reference.MLP(p, len(s.setup.Options.DecoderWidths)+1, row)
		square += 2 * reference.DataLoss(y, reference.Wide(x), 1) / float64(len(z))
	}
	nearNumber(t, "SquareError", got.SquareError/got.Rows, square, gradTolerance)
	variance := s.setup.Options.ObsNoise * s.setup.Options.ObsNoise
	data := square/(2*variance) + testDim/2.*math.Log(2*math.Pi*variance)
	nearNumber(t, "DataLoss", got.DataLoss/got.Rows, data, gradTolerance)
	if encoder != nil {
		nearNumber(t, "Entropy", got.Entropy/got.Rows, frozenEntropyOf(s), gradTolerance)
	}
	rows := float64(len(s.now.ids))
	if got.Rows != rows || got.Moved != 0 || (got.Entropy == 0) != (encoder == nil) {
		t.Errorf("%v rows, encoder %v: stats %+v", rows, encoder != nil, got)
	}
}

// frozenEntropyOf is the mean entropy of the encoder's q(z|x) over all images.
func frozenEntropyOf(s *staged) (h float64) {
	_, encoder := s.first.networks()
	p := params(s.setup.Encoder.Layout(), reference.Wide(encoder.p))
	for i := range testPoints {
		x := make([]float32, testDim)
		s.setup.Train.Gather(x, []int{i})
		_, logvar := reference.Encoder(p, len(s.setup.Options.EncoderWidths)+1, reference.Wide(x))
		for _, l := range logvar {
			h += (1 + math.Log(2*math.Pi) + l) / 2 / testPoints
		}
	}
	return h
}

// checkFit compares the gradient of the first step of the second stage with the reference's.
// Particles are those of the survey; latents of an encoder were drawn anew.
func checkFit(t *testing.T, s *staged, index []int, z [][]float64) {
	t.Helper()
	mean, logScale := standardOf(s, s.prior.p)
	n := len(index) * s.setup.Options.Particles
	key := kernel.Key{Seed: s.setup.Seed, Stream: diffusion.StreamLambda}
	perm, u := make([]int, n*s.setup.Options.ScoreDraws), make([]float32, 1)
	kernel.Perm(perm, key)
	kernel.Uniform(u, key, 1<<32)
	process := reference.Process{Min: s.setup.Options.LambdaMin, Max: s.setup.Options.LambdaMax}
	levels := process.Levels(perm, float64(u[0]))
	theta := reference.Wide(reference.Normals(len(s.prior.p)-2*s.setup.Options.Latent, 20, 0.4))
	loss := func(theta []float64) (sum float64) {
		o := &s.setup.Options
		all := append(slices.Clone(theta), make([]float64, 2*o.Latent)...)
		p := params(s.setup.Prior.Layout(), all)
		score := reference.Score{Blocks: o.ScoreBlocks, Features: o.ScoreFeatures}
		residual := func(zl []float64, lambda float64) []float64 {
			return score.Residual(p, zl, lambda)
		}
		for row := range n {
			id := index[row/o.Particles]*o.Particles + row%o.Particles
			own := make([]float64, s.setup.Options.Latent)
			for j := range own {
				v := z[id][j]
				if _, ok := s.first.(*variational); ok {
					v = float64(s.now.z[row*s.setup.Options.Latent+j])
				}
				own[j] = (v - float64(mean[j])) / math.Exp(float64(logScale[j]))
			}
			for i := range s.setup.Options.ScoreDraws {
				k := row*s.setup.Options.ScoreDraws + i
				eps := make([]float32, s.setup.Options.Latent)
				key := kernel.Key{Seed: s.setup.Seed, Stream: diffusion.StreamScoreNoise}
				kernel.NormalRows(eps, []uint64{uint64(id*o.ScoreDraws + i)}, o.Latent, key)
				draw := reference.Draw{Lambda: levels[k], Eps: reference.Wide(eps)}
				sum += process.PriorLoss(residual, own, draw) / float64(n*o.ScoreDraws)
			}
		}
		return sum
	}
	near(t, "gradient of the prior", s.prior.g[:len(theta)], reference.Gradient(loss, theta),
		gradTolerance)
}

// standardOf is the mean and the log scale in the parameters p of the second stage's prior.
func standardOf(s *staged, p []float32) (mean, logScale []float32) {
	return s.prior.layout.View(p, "mean"), s.prior.layout.View(p, "log_scale")
}
