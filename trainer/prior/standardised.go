package prior

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
)

// Standardised is the prior of z = mean + scale z', elementwise, where z' has the inner prior. Thus
// -log p(z) = -log p'(z') + sum of log scale. mean and log scale follow the inner prior's
// parameters in the same buffer, so that checkpoints and averages include them. They start at zero
// and are set by Standardise, not learned.
type Standardised struct {
	Prior
	latent int
	layout *model.Layout
}

// NewStandardised wraps a prior of the given number of latent dimensions.
func NewStandardised(inner Prior, latent int) *Standardised {
	l := inner.Layout().Clone()
	l.Add("mean", 0, latent)
	l.Add("log_scale", 0, latent)
	return &Standardised{Prior: inner, latent: latent, layout: l}
}

// Layout implements Prior: that of the inner prior, then mean and log_scale.
func (s *Standardised) Layout() *model.Layout { return s.layout }

// parts splits p into the parameters of the inner prior, the mean and the log scale.
func (s *Standardised) parts(p []float32) (inner, mean, logScale []float32) {
	n := s.Prior.Layout().Size()
	return p[:n], p[n : n+s.latent], p[n+s.latent:]
}

// Closed implements Prior. Even with a Gaussian inner prior the covariance is not I.
func (s *Standardised) Closed() bool { return false }

// Standardise implements Prior.
func (s *Standardised) Standardise(p []float32, mean, std []float64) {
	_, m, l := s.parts(p)
	for j := range m {
		m[j], l[j] = float32(mean[j]), float32(math.Log(std[j]))
	}
}

// Steady implements Prior.
func (s *Standardised) Steady() Prior {
	steady := *s
	steady.Prior = s.Prior.Steady()
	return &steady
}

type standardisedTape struct {
	Tape
	prior  *Standardised
	p      []float32
	z      []float32 // standardised rows
	slope  []float32 // 1/scale
	volume float32   // sum of log scale
}

// NewTape implements Prior.
func (s *Standardised) NewTape(
	a *memory.Arena, p []float32, size model.Size, use model.Use,
) Tape {
	inner := p
	a.Fill(func() { inner, _, _ = s.parts(p) })
	return &standardisedTape{
		Tape: s.Prior.NewTape(a, inner, size, use), prior: s, p: p,
		z:     a.Floats(memory.Activations, size.Rows, s.latent),
		slope: a.Floats(memory.Activations, s.latent),
	}
}

// Begin implements Tape.
func (t *standardisedTape) Begin(
	rows int, level, noise kernel.Key, lanes ...diffusion.Lane,
) {
	t.Tape.Begin(rows, level, noise, lanes...)
	_, _, logScale := t.prior.parts(t.p)
	volume := 0.0
	for j, l := range logScale {
		volume += float64(l)
		t.slope[j] = float32(math.Exp(-float64(l)))
	}
	t.volume = float32(volume)
}

// Evaluate implements Tape.
func (t *standardisedTape) Evaluate(r diffusion.Rows) {
	now := r.Clock.Enter(phase.Prior)
	_, mean, _ := t.prior.parts(t.p)
	d := t.prior.latent
	inner := r
	inner.Z = t.z[r.Lo*d : r.Hi*d]
	for i, v := range r.Z {
		inner.Z[i] = (v - mean[i%d]) * t.slope[i%d]
	}
	now.End()
	t.Tape.Evaluate(inner)
	defer r.Clock.Enter(phase.Prior).End()
	for i := range r.G {
		r.G[i] *= t.slope[i%d]
	}
	for i := range r.Loss {
		r.Loss[i] += t.volume
	}
}

// Reduce implements Tape. mean and log_scale have no gradient.
func (t *standardisedTape) Reduce(w layer.Wave) {
	w.Grad, _, _ = t.prior.parts(w.Grad)
	t.Tape.Reduce(w)
}

type standardisedSampler struct {
	Sampler
	prior *Standardised
	p     []float32
}

// NewSampler implements Prior.
func (s *Standardised) NewSampler(a *memory.Arena, p []float32, size model.Size) Sampler {
	inner := p
	a.Fill(func() { inner, _, _ = s.parts(p) })
	return standardisedSampler{Sampler: s.Prior.NewSampler(a, inner, size), prior: s, p: p}
}

// Sample implements Sampler.
func (s standardisedSampler) Sample(z []float32, ids []uint64, spec SampleSpec) {
	s.Sampler.Sample(z, ids, spec)
	_, mean, logScale := s.prior.parts(s.p)
	d := s.prior.latent
	for i, v := range z {
		z[i] = mean[i%d] + float32(v*float32(math.Exp(float64(logScale[i%d]))))
	}
}
