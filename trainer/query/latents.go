package query

import (
	"context"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/infer"
)

// Latents are the latents of rows Lo to Lo+len(Energy)-1.
type Latents struct {
	Lo        int
	Draws     []float32 // rows x N x d, from the posterior
	Mean, Std []float32 // rows x d, of the posterior, averaged over more than these draws
	Energy    []float64 // nats, of each row: -log p(x|z) - log p(z), or its bound, in the mean
	Settled   []bool    // of each row: its energy had stopped falling (infer.Settling)
}

// Latents draws the latents of rows, and passes them on block by block. It stops early, with ctx's
// error, when ctx ends, or with the error of use.
func (m *Model) Latents(
	ctx context.Context, r Rows, o Options, use func(Latents) error,
) (Summary, error) {
	o = m.withDefaults(o)
	if err := m.check(r, o); err != nil {
		return Summary{}, err
	}
	return m.each(ctx, r, o, 0, func(b block) error {
		l := Latents{Lo: b.lo, Draws: b.posterior.Latents()}
		for _, image := range b.posterior.Images() {
			l.Mean = appendFloats(l.Mean, image.Mean)
			l.Std = appendRoots(l.Std, image.Var, nil)
			l.Energy = append(l.Energy, image.Energy())
			l.Settled = append(l.Settled, image.Settled)
		}
		return use(l)
	})
}

// appendFloats appends the numbers, rounded.
func appendFloats(dst []float32, x []float64) []float32 {
	for _, v := range x {
		dst = append(dst, float32(v))
	}
	return dst
}

// appendRoots appends the square roots of x + more (nil: 0), rounded.
func appendRoots(dst []float32, x, more []float64) []float32 {
	for i, v := range x {
		if more != nil {
			v += more[i]
		}
		dst = append(dst, float32(math.Sqrt(v)))
	}
	return dst
}

// encode moves the particles z of rows lo to hi-1, which are N(0, I), to draws from the q(z|x) of a
// generator's encoder.
func (m *Model) encode(
	by *generate.Generator, z []float32, r Rows, s infer.Setup, lo, hi int,
) {
	d, dim := by.Latent(), by.Dim()
	for ; lo < hi; lo += s.Batch {
		index := data.Range(lo, min(lo+s.Batch, hi))
		x := make([]float32, len(index)*dim)
		r.Images.Gather(x, index)
		for i, row := range index {
			for j, missing := range r.missing(row) {
				if missing {
					x[i*dim+j] = 0
				}
			}
		}
		mean, logvar := make([]float32, len(index)*d), make([]float32, len(index)*d)
		by.Encode(mean, logvar, x, m.conditionsOf(r, index))
		for i := range index {
			for range s.Particles {
				for j := range d {
					at := i*d + j
					std := math.Exp(float64(logvar[at]) / 2)
					z[j] = float32(float64(mean[at]) + std*float64(z[j]))
				}
				z = z[d:]
			}
		}
	}
}
