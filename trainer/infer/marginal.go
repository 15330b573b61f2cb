package infer

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/plume-ml/plume/kernel"
)

// Marginal is an importance-sampled estimate of log p(x) of one image.
type Marginal struct {
	LogP float64 // nats
	ESS  float64 // effective samples, (sum w)^2 / sum w^2; near 1 the estimate is unreliable
}

// Marginals estimates log p(x) of every image by importance sampling with the given number of
// samples. They come from a proposal fitted to the moments of the image's chains: the last Run must
// have had Moves.Cov. Particles that never moved are an error. Marginals stops early, with ctx's
// error, when ctx ends.
//
// With a prior of known density the estimate of p(x) is unbiased, and that of log p(x) too low, the
// more so the fewer the effective samples. Modes that the chains never visited are missing. With a
// diffusion prior it estimates the integral of p(x|z) exp(-l_theta(z)), which is at most p(x). The
// noise of j's draws in l_theta then raises the estimate by about half of the variance of that
// noise between latents.
func (p *Posterior) Marginals(
	ctx context.Context, j *Joint, samples int, seed uint64,
) ([]Marginal, error) {
	out := make([]Marginal, len(p.images))
	x := make([]float32, p.likelihood.Dim)
	var condition []float32
	if p.given != nil {
		condition = make([]float32, len(p.given)/p.setup.Batch)
	}
	z := make([]float32, samples*p.cloud.D)
	logQ, logW := make([]float64, samples), make([]float64, samples)
	for m, image := range p.images {
		if p.setup.Progress != nil {
			p.setup.Progress(fmt.Sprintf("%d of %d images", m, len(p.images)))
		}
		q, err := newProposal(image.Mean, image.Cov)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", m, err)
		}
		q.draw(z, logQ, kernel.Key{Seed: seed, Step: uint32(m), Stream: streamProposal})
		p.setup.Images.Gather(x, []int{m})
		if condition != nil {
			p.setup.Conditions.Gather(condition, []int{m})
		}
		if err := j.Log(ctx, logW, x, z, condition, m); err != nil {
			return nil, err
		}
		for i, v := range logQ {
			logW[i] -= v
		}
		out[m] = marginal(logW)
	}
	return out, nil
}

// marginal returns the estimate for the given logarithms of the weights.
func marginal(logW []float64) Marginal {
	total := floats.LogSumExp(logW)
	m := Marginal{LogP: total - math.Log(float64(len(logW)))}
	for _, v := range logW {
		share := math.Exp(v - total)
		m.ESS += share * share
	}
	m.ESS = 1 / m.ESS
	return m
}
