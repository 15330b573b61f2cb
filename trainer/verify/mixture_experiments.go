package verify

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
)

var mixtureExperiments = []experiment{
	{section: "8.3", title: "gradient of the bound of a mixture", run: mixtureGradient},
	{section: "8.3", title: "modes of the posterior", run: mixtureModes},
	{section: "8.3", title: "Gaussian encoder", run: mixtureEncoder},
	{section: "8.3", title: "minimiser of theta in a mixture", run: mixtureMinimiser},
	{section: "8.3", title: "W and the mixture learned", run: mixtureTraining},
	{section: "8.3", title: "samples of a mixture", run: mixtureSamples},
	{section: "8.3", title: "learned score network of a mixture", run: learnedMixture},
}

// prior is the diffusion prior with the exact score of the mixture, its parameters fixed.
func (t twoModes) prior(b diffusion.Bound) *method.DiffusionPrior {
	law := newMixtureLaw(len(t.weight), 1)
	return &method.DiffusionPrior{Bound: b, Score: fixedScore{exactScore{law}, law.values(t.mixture)}}
}

// decoder is x = w z, fixed.
func (t twoModes) decoder() model.Net {
	net := model.NewMLP(1, 1)
	p := make([]float32, net.Layout().Size())
	p[0] = float32(t.w)
	return fixedNet{net, p}
}

// mixtureGradient: the mean drift is the gradient of the bound, by quadrature, which with the exact score is
// nearly -grad log p.
func mixtureGradient(l *lab) error {
	t := newTwoModes()
	b := boundOf(10, false)
	for k, at := range []float64{-1.6, 0.2, 1} {
		found := l.drifts1(t.prior(b), float32(at), k, l.n(200, 4000))
		exact := t.meanDrift(float64(float32(at)), b.Process)
		l.estimate(fmt.Sprintf("mean drift at z = %v", at), exact, found.mean(), found.se(), float32Error)
		// the exact score leaves the bound tight but for the cut-offs: a share of exp(-10) over the smallest variance
		truth := -t.score1(at, 40)
		l.estimate(fmt.Sprintf("the same by quadrature, against -grad log p, z = %v", at), truth, exact, 0, 10*math.Exp(-10)*(1+math.Abs(truth)))
	}
	return nil
}

// drifts1 are the mean drifts over batches of rows of one latent dimension, all at z.
func (l *lab) drifts1(prior *method.DiffusionPrior, z float32, seed, batches int) (found sample) {
	const rows = driftRows
	tape := prior.NewTape(nil, rows)
	tape.Pack(0)
	row, g, loss, ids := make([]float32, rows), make([]float32, rows), make([]float32, rows), make([]uint64, rows)
	for i := range row {
		row[i], ids[i] = z, uint64(i)
	}
	for k := range batches {
		key := kernel.Key{Seed: l.seed(seed), Step: uint32(k), Stream: kernel.StreamLambda}
		noise := key
		noise.Stream = kernel.StreamScoreNoise
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
