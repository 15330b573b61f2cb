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

// EnoughESS is the number of effective samples below which an estimate of log p(x) says little.
const EnoughESS = 10

// Marginals estimates log p(x) of every image by importance sampling with the given number of
// samples. They come from a proposal fitted to the moments of the image's chains: the last Run must
// have had Moves.Cov, or Settling.Cov. Particles that never moved are an error. Marginals stops
// early, with ctx's error, when ctx ends.
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
	z := make([]float32, samples*p.cloud.D)
	logQ, logW := make([]float64, samples), make([]float64, samples)
	for k, inferred := range p.images {
		image := p.image(k)
		if p.setup.Progress != nil {
			p.setup.Progress(fmt.Sprintf("%d of %d rows", image.Number, p.setup.Images.Len()))
		}
		q, err := newProposal(inferred.Mean, inferred.Cov)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", image.Number, err)
		}
		q.draw(z, logQ, kernel.Key{Seed: seed, Step: uint32(image.Number), Stream: streamProposal})
		if err := j.Log(ctx, logW, image, z); err != nil {
			return nil, err
		}
		for i, v := range logQ {
			logW[i] -= v
		}
		out[k] = marginal(logW)
	}
	return out, nil
}

// image is image k of those that are held.
func (p *Posterior) image(k int) Image {
	m := Image{X: make([]float32, p.likelihood.Dim()), Number: p.first + k}
	index := []int{m.Number}
	p.setup.Images.Gather(m.X, index)
	if p.given != nil {
		m.Condition = make([]float32, len(p.given)/p.setup.Batch)
		p.setup.Conditions.Gather(m.Condition, index)
	}
	if p.setup.Missing != nil {
		m.Missing = p.setup.Missing.Row(m.Number)
	}
	return m
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
