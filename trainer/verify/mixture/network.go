package mixture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// learnedNats is what an MLP score may lose, in nats per point. It has no closed form: seeds lost
// up to 0.014, and the best Gaussian loses 0.3.
const learnedNats = 0.05

// learnedDistance bounds the Kolmogorov distance of the prior. Seeds had up to 0.039, 1,024 exact
// draws have 0.03, and the Gaussian of the mixture's moments has 0.15.
const learnedDistance = 0.08

// learnedNetwork trains an MLP score on the mixture of section 8.3 with fixed W, and compares the
// learned prior with the true one and the likelihoods of new data.
func learnedNetwork(l *lab.Lab) error {
	const n = 8192
	t := newTwoModes()
	t.w, t.noise = 1, 0.3 // for x to determine z better, and so the prior
	r := rand.New(rand.NewPCG(l.Seed(0), 5))
	_, x := t.draw(r, 1024)
	o := lab.LearnedOptions(1, t.noise)
	train := data.Table{D: 1, X: exactnet.Narrow(x)}
	latents, _, err := l.Learn(o, train, t.decoder(l), l.N(3000, 20000), n)
	if err != nil {
		return err
	}
	_, fresh := t.draw(r, 4096)
	gap := t.logLikelihood(fresh) - sampleLikelihood(latents, fresh, t.w, t.noise)
	gauss := t.logLikelihood(fresh) - gaussLikelihood(fresh)
	name := fmt.Sprintf("log-likelihood of new data below the truth's (%.3g for a Gaussian)", gauss)
	l.AtMost(name, gap, learnedNats)
	l.AtMost(
		"largest difference of the distribution functions of the learned prior and the true one",
		distance(t.Mixture, latents), learnedDistance)
	return nil
}

// distance is the Kolmogorov distance between draws of z and the mixture.
func distance(m exactnet.Mixture, latents []float32) (worst float64) {
	sorted := slices.Sorted(slices.Values(latents))
	n := float64(len(sorted))
	for i, z := range sorted {
		below := 1 - above(m, float64(z))
		worst = max(worst, float64(i+1)/n-below, below-float64(i)/n)
	}
	return worst
}

// sampleLikelihood is the mean log p(x) under a prior given by draws of z.
func sampleLikelihood(latents []float32, x []float64, w, noise float64) (mean float64) {
	for _, v := range x {
		var p float64
		for _, z := range latents {
			density := math.Exp(logNormal(math.Pow(v-w*float64(z), 2), noise*noise))
			p += density / float64(len(latents))
		}
		mean += math.Log(p) / float64(len(x))
	}
	return mean
}

// gaussLikelihood is the mean log-likelihood of the data under the Gaussian of their own variance.
func gaussLikelihood(x []float64) float64 {
	return -(1 + math.Log(2*math.Pi*lab.Sample(x).Variance())) / 2
}
