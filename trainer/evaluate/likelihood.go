package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/prior"
)

// The Langevin chains to which the proposals are fitted.
const (
	chainParticles = 8
	chainBurn      = 300
	chainKeep      = 300
)

// maxCovariances is the most memory for the covariances of the chains, in bytes.
const maxCovariances = 2 << 30

// likelihood estimates log p(x) of held-out images by importance sampling.
func (e *evaluation) likelihood() error {
	if !e.hasHeldOut("log-likelihood") {
		return nil
	}
	images := e.someHeldOut(e.LikelihoodImages)
	d := float64(e.generator.Latent())
	if need := 8 * d * d * float64(images.Len()); need > maxCovariances {
		e.note("log-likelihood: covariances of %d images with latents of %.0f numbers take %s; "+
			"with fewer images it can be measured", images.Len(), d,
			humanize.IBytes(uint64(need)))
		return nil
	}
	p, err := e.posterior(images, chainParticles)
	if err != nil {
		return err
	}
	e.doing.Set(fmt.Sprintf("chains of %d held-out images", images.Len()))
	if err := p.Run(e.ctx, infer.Moves{Burn: chainBurn, Keep: chainKeep, Cov: true}); err != nil {
		return err
	}
	m, err := e.inferring(e.LikelihoodDraws)
	if err != nil {
		return err
	}
	joint := infer.NewJoint(m, e.Seed, e.pool)
	e.doing.Set(fmt.Sprintf("log-likelihood of %d held-out images, %d latents each", images.Len(),
		e.LikelihoodSamples))
	found, err := p.Marginals(e.ctx, joint, e.LikelihoodSamples, e.Seed)
	if err != nil {
		return err
	}
	return e.reportLikelihood(found, fmt.Sprintf("%d held-out images, %d latents each from a "+
		"proposal fitted to their Langevin chains%s",
		images.Len(), e.LikelihoodSamples, e.densityNote(m.Prior)))
}

// densityNote explains what stands in for log p(z), and its effect on the estimate.
func (e *evaluation) densityNote(p prior.Prior) string {
	if p.Closed() {
		return ""
	}
	return fmt.Sprintf("; for log p(z) stands the diffusion's lower bound, whose gap lowers the "+
		"estimate; the bound is itself a mean over %d draws, whose noise raises it",
		e.LikelihoodDraws)
}

func (e *evaluation) reportLikelihood(found []infer.Marginal, note string) error {
	var logP, ess []float64
	few := 0
	for _, m := range found {
		logP, ess = append(logP, m.LogP), append(ess, m.ESS)
		if m.ESS < infer.EnoughESS {
			few++
		}
	}
	value, err := metric.MeanInterval(logP, e.bootstrap(), e.pool)
	if err != nil {
		return err
	}
	add := func(m Metric, v metric.Estimate) {
		m.Group = Likelihood
		e.add(m.measured(v, math.NaN()))
	}
	add(Metric{
		Name:   "log p(x)",
		Key:    "log_p",
		Unit:   "nats/image",
		Better: Higher,
		Note:   "importance-sampled, too low where effective samples are few; " + note,
	}, value)
	if e.schema == nil { // of categories there are no densities
		add(e.bitsPerDim(value))
	}
	slices.Sort(ess)
	add(Metric{
		Name:   "median ESS",
		Key:    "ess",
		Better: Higher,
		Note:   fmt.Sprintf("effective samples of %d", e.LikelihoodSamples),
	}, metric.Estimate{Value: ess[len(ess)/2], Low: math.NaN(), High: math.NaN()})
	share, err := metric.ShareInterval(few, len(found), 0.95)
	add(Metric{
		Name:   "ESS below 10",
		Key:    "ess_below_10",
		Better: Lower,
		Note:   "share of the images whose estimate says little, and is too low",
	}, share)
	return err
}

// bitsPerDim is log p(x) in bits for each number of an image. They fall as log p rises, so the ends
// of the interval change places.
func (e *evaluation) bitsPerDim(logP metric.Estimate) (Metric, metric.Estimate) {
	bits := -1 / (math.Ln2 * float64(e.generator.Dim()))
	return Metric{
		Name:   "bits/dim",
		Key:    "bits_per_dim",
		Better: Lower,
		Note:   "the same as a density of pixels in [-1, 1]; below 0 where it is above 1",
	}, metric.Estimate{Value: bits * logP.Value, Low: bits * logP.High, High: bits * logP.Low}
}
