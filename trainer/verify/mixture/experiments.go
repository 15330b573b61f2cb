package mixture

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// Experiments are those of section 8.3.
var Experiments = []lab.Experiment{
	{Section: "8.3", Title: "gradient of the bound of a mixture", Run: mixtureGradient},
	{Section: "8.3", Title: "modes of the posterior", Run: mixtureModes},
	{Section: "8.3", Title: "Gaussian encoder", Run: mixtureEncoder},
	{Section: "8.3", Title: "minimiser of theta in a mixture", Run: mixtureMinimiser},
	{Section: "8.3", Title: "W and the mixture learned", Run: mixtureTraining},
	{Section: "8.3", Title: "samples of a mixture", Run: mixtureSamples},
	{Section: "8.3", Title: "learned score network of a mixture", Run: learnedMixture},
}

// prior is the diffusion prior with the exact score of the mixture, its parameters fixed.
func (t twoModes) prior(b diffusion.Bound) *prior.Diffusion {
	law := exactnet.NewMixtureLaw(len(t.Weight), 1)
	return &prior.Diffusion{Bound: b, Score: exactnet.FixedScore{ScoreNet: exactnet.Score{Law: law}, P: law.Values(t.Mixture)}}
}

// decoder is x = w z, fixed.
func (t twoModes) decoder() model.Net {
	net := model.NewMLP(1, 1)
	p := make([]float32, net.Layout().Size())
	p[0] = float32(t.w)
	return exactnet.FixedNet{Net: net, P: p}
}

// mixtureGradient: the mean drift is the gradient of the bound, by quadrature, which with the exact score is
// nearly -grad log p.
func mixtureGradient(l *lab.Lab) error {
	t := newTwoModes()
	b := diffusion.Bound{Process: lab.Process, Draws: 1}
	for k, at := range []float64{-1.6, 0.2, 1} {
		found := drifts1(l, t.prior(b), float32(at), k, l.N(200, 4000))
		exact := meanDrift(t.Mixture, float64(float32(at)), b.Process)
		l.EstimateMean(fmt.Sprintf("mean drift at z = %v", at), exact, found, lab.Float32Error)
		// the exact score leaves the bound tight but for the cut-offs: a share of exp(-10) over the smallest variance
		truth := -t.ScoreAt(at, 40)
		l.Estimate(fmt.Sprintf("the same by quadrature, against -grad log p, z = %v", at), truth, exact, 0, 10*math.Exp(-10)*(1+math.Abs(truth)))
	}
	return nil
}

// drifts1 are the mean drifts over batches of rows of one latent dimension, all at z.
func drifts1(l *lab.Lab, prior *prior.Diffusion, z float32, seed, batches int) (found lab.Sample) {
	const rows = 512
	tape := prior.NewTape(nil, rows)
	tape.Pack(0)
	row, g, loss, ids := make([]float32, rows), make([]float32, rows), make([]float32, rows), make([]uint64, rows)
	for i := range row {
		row[i], ids[i] = z, uint64(i)
	}
	for k := range batches {
		key := kernel.Key{Seed: l.Seed(seed), Step: uint32(k), Stream: diffusion.StreamLambda}
		noise := key
		noise.Stream = diffusion.StreamScoreNoise
		tape.Begin(rows, key, noise)
		tape.Rows(0, rows, row, ids, g, loss, false)
		var mean float64
		for _, v := range g {
			mean += float64(v) / rows
		}
		found = append(found, mean)
	}
	return found
}
