package query

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/method"
)

// Scores are how likely rows Lo to Lo+len(Energy)-1 are.
type Scores struct {
	Lo int
	// Energy is -log p(x|z) - log p(z), or its bound, in nats, in the mean over the posterior; and
	// Data is its first part. Higher is less likely.
	Energy, Data []float64
	MSE          []float64 // for each value that is known, in the mean over the posterior
	// LogP is an importance-sampled estimate of log p(x), in nats, and ESS how many effective
	// samples it comes from: it is too low where these are few (infer.Marginal). nil without
	// samples.
	LogP, ESS []float64
	Settled   []bool // as in Latents
}

// ScoreOptions say how rows are scored.
type ScoreOptions struct {
	Options
	Samples int // importance samples of log p(x) of a row; 0: no log p(x)
	Draws   int // of (lambda, eps) for the bound in the weight of each; 0: 8
}

// Score scores rows, block by block. It stops early as Latents does.
func (m *Model) Score(
	ctx context.Context, r Rows, o ScoreOptions, use func(Scores) error,
) (Summary, error) {
	o.Options = m.withDefaults(o.Options)
	if err := m.check(r, o.Options); err != nil {
		return Summary{}, err
	}
	if o.Samples < 0 || o.Samples == 1 {
		return Summary{}, fmt.Errorf("%d importance samples: expected 2 or more, or 0 for none",
			o.Samples)
	}
	if o.Draws == 0 {
		o.Draws = 8
	}
	joint, err := m.joint(o)
	if err != nil {
		return Summary{}, err
	}
	wide, s := 0, *o.Settling
	if joint != nil {
		d := m.generator.Latent()
		s.Cov, wide = true, d*d
	}
	o.Settling = &s
	return m.each(ctx, r, o.Options, wide, func(b block) error {
		out := m.scores(b, r)
		if joint == nil {
			return use(out)
		}
		found, err := b.posterior.Marginals(ctx, joint, o.Samples, o.Seed)
		if err != nil {
			return err
		}
		for _, f := range found {
			out.LogP, out.ESS = append(out.LogP, f.LogP), append(out.ESS, f.ESS)
		}
		return use(out)
	})
}

// scores are the scores of a block, without log p(x).
func (m *Model) scores(b block, r Rows) Scores {
	out := Scores{Lo: b.lo}
	for i, image := range b.posterior.Images() {
		known := m.generator.Dim()
		if r.Missing != nil {
			known = r.Missing.KnownIn(b.lo + i)
		}
		out.Energy = append(out.Energy, image.Energy())
		out.Data = append(out.Data, image.DataLoss)
		out.MSE = append(out.MSE, image.SquareError/float64(known))
		out.Settled = append(out.Settled, image.Settled)
	}
	return out
}

// joint is the density that importance samples are weighted by; nil without samples.
func (m *Model) joint(o ScoreOptions) (*infer.Joint, error) {
	if o.Samples == 0 {
		return nil, nil
	}
	weighing, err := method.Inferring(
		m.config.Method, m.config.Options, m.generator.Model(), o.Draws)
	if err != nil {
		return nil, err
	}
	return infer.NewJoint(weighing, o.Seed, m.pool), nil
}
