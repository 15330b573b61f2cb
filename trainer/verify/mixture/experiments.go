// Package mixture has the experiments on a model with a mixture of Gaussians as prior, whose
// posteriors have two modes (ALGORITHM.md, section 8.3).
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
	{Section: "8.3", Title: "gradient of the bound of a mixture", Run: boundGradient},
	{Section: "8.3", Title: "modes of the posterior", Run: posteriorModes},
	{Section: "8.3", Title: "cloud of a clipped decoder", Run: clippedDecoder},
	{Section: "8.3", Title: "Gaussian encoder", Run: gaussianEncoder},
	{Section: "8.3", Title: "minimiser of theta in a mixture", Run: minimiser},
	{Section: "8.3", Title: "W and the mixture learned", Run: training},
	{Section: "8.3", Title: "samples of a mixture", Run: samples},
	{Section: "8.3", Title: "learned score network of a mixture", Run: learnedNetwork},
}

// prior is the diffusion prior with the exact score of the mixture, whose parameters are constant.
func (t twoModes) prior(b diffusion.Bound) *prior.Diffusion {
	law := exactnet.NewMixtureLaw(len(t.Weight), 1)
	score := exactnet.Score(law).Frozen(law.Values(t.Mixture))
	return &prior.Diffusion{Bound: b, Score: score}
}

// decoder is x = w z, fixed.
func (t twoModes) decoder(l *lab.Lab) *model.Net {
	net := model.NewMLP(l.Products, 1, 1)
	p := make([]float32, net.Layout().Size())
	p[0] = float32(t.w)
	return net.Frozen(p)
}

// boundGradient: the mean drift is the gradient of the bound, which is computed by quadrature and
// with the exact score is nearly -grad log p.
func boundGradient(l *lab.Lab) error {
	t := newTwoModes()
	b := diffusion.Bound{Process: lab.Process, Draws: 1}
	for k, at := range []float64{-1.6, 0.2, 1} {
		found := meanDrifts(l, t.prior(b), float32(at), k, l.N(200, 4000))
		exact := meanDrift(t.Mixture, float64(float32(at)), b.Process)
		l.EstimateMean(fmt.Sprintf("mean drift at z = %v", at), exact, found, lab.Float32Error)
		truth := -t.ScoreAt(at, 40)
		name := fmt.Sprintf("the same by quadrature, against -grad log p, z = %v", at)
		l.Estimate(name, truth, exact, 0, cutOffError(truth))
	}
	return nil
}

// cutOffError bounds the error of a gradient due to the finite range of noise levels. With the
// exact score the bound is tight otherwise. The error is a share exp(-10) over the smallest
// variance.
func cutOffError(gradient float64) float64 { return 10 * math.Exp(-10) * (1 + math.Abs(gradient)) }

// meanDrifts returns the mean drifts over batches of rows of one latent dimension, all of them at
// z.
func meanDrifts(l *lab.Lab, p *prior.Diffusion, z float32, seed, batches int) (found lab.Sample) {
	const rows = 512
	tape := p.NewTape(nil, nil, model.Size{Rows: rows}, model.Differentiate)
	tape.Pack(0)
	row, g, loss := make([]float32, rows), make([]float32, rows), make([]float32, rows)
	ids := make([]uint64, rows)
	for i := range row {
		row[i], ids[i] = z, uint64(i)
	}
	for k := range batches {
		key := kernel.Key{Seed: l.Seed(seed), Step: uint32(k), Stream: diffusion.StreamLambda}
		noise := key
		noise.Stream = diffusion.StreamScoreNoise
		tape.Begin(rows, key, noise)
		tape.Evaluate(diffusion.Rows{Hi: rows, Z: row, IDs: ids, G: g, Loss: loss})
		var mean float64
		for _, v := range g {
			mean += float64(v) / rows
		}
		found = append(found, mean)
	}
	return found
}
