package generate

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/prior"
)

// Spec says how images are drawn.
type Spec struct {
	Solver diffusion.Solver // of a diffusion prior
	Steps  int              // of the solver; 0: its default
	Seed   uint64
	// First is the number of the first image among those of the seed: images that are drawn
	// Generator.Block at a time, First of each call being where the one before ended, are those of
	// one call.
	First int
	// Seeds are seeds of the images, one each: an image is the first one of its seed, and does not
	// depend on the others. nil: Seed is that of all.
	Seeds []uint64
	// Condition is what each image is to be like, rows of Generator.Conditions() numbers, where
	// zeros stand for anything. nil leaves it to Generator.Condition.
	Condition []float32
	// Guidance is the weight w of eps = (1+w) eps_c - w eps_0 for a diffusion prior, 0 or more:
	// samples become more typical of their condition, and less various.
	Guidance float64
}

// sampling returns how the prior is sampled, without the condition. An unknown solver, and steps or
// guidance below 0, are errors.
func (s Spec) sampling() (prior.SampleSpec, error) {
	standard, err := s.Solver.DefaultSteps()
	if err != nil {
		return prior.SampleSpec{}, err
	}
	steps := s.Steps
	if steps == 0 {
		steps = standard
	}
	if steps < 1 {
		return prior.SampleSpec{}, fmt.Errorf("solver steps = %d: expected 1 or more", steps)
	}
	if !(s.Guidance >= 0) || math.IsInf(s.Guidance, 0) {
		return prior.SampleSpec{}, fmt.Errorf("guidance = %v: expected 0 or more", s.Guidance)
	}
	return prior.SampleSpec{
		Solver: s.Solver, Steps: steps, Seed: s.Seed, Guidance: s.Guidance,
	}, nil
}

// check panics unless the spec can be one of n images.
func (s Spec) check(n int) {
	if s.Seeds != nil && len(s.Seeds) != n || s.First < 0 || s.Seeds != nil && s.First > 0 {
		panic("generate: Spec needs First of 0 or more, or as many Seeds as images")
	}
}

// ids are the addresses of rows lo to hi in the noise of their seeds.
func (s Spec) ids(lo, hi int) []uint64 {
	ids := make([]uint64, hi-lo)
	if s.Seeds == nil {
		for i := range ids {
			ids[i] = uint64(s.First + lo + i)
		}
	}
	return ids
}

// seeds are those of rows lo to hi; nil: Seed.
func (s Spec) seeds(lo, hi int) []uint64 {
	if s.Seeds == nil {
		return nil
	}
	return s.Seeds[lo:hi]
}

const (
	streamClasses  kernel.Stream = 21 // samples: classes of those that were asked for no other
	streamObserved kernel.Stream = 22 // samples: their noise given their latents
)

// Conditions is the length of a condition; 0 for a model without conditions.
func (m Model) Conditions() int { return max(0, len(m.Classes)-1) }

// Conditions is that of the model.
func (g *Generator) Conditions() int { return g.model.Conditions() }

// Condition draws the conditions of n images (n x Conditions()) whose spec has none, with the
// shares that classes have of the datapoints, so that images of them compare with the data.
// Datapoints without a class have the condition 0. It returns nil for a model without conditions.
// Of the spec it reads First, Seed and Seeds.
func (g *Generator) Condition(n int, spec Spec) []float32 {
	width := g.Conditions()
	if width == 0 {
		return nil
	}
	total := 0.0
	for _, count := range g.model.Classes {
		total += float64(count)
	}
	conditions := make([]float32, n*width)
	for i, v := range spec.uniform(n) {
		class, left := 0, float64(v)*total // in (0, total]
		for class < width && left > float64(g.model.Classes[class]) {
			left -= float64(g.model.Classes[class])
			class++
		}
		if class < width {
			conditions[i*width+class] = 1
		}
	}
	return conditions
}

// uniform draws a number of (0, 1] for each of n images.
func (s Spec) uniform(n int) []float32 {
	s.check(n)
	key := kernel.Key{Seed: s.Seed, Stream: streamClasses}
	if s.Seeds != nil {
		u := make([]float32, n)
		for i, seed := range s.Seeds {
			key.Seed = seed
			kernel.Uniform(u[i:i+1], key, 0)
		}
		return u
	}
	skip := s.First % kernel.GroupLen
	u := make([]float32, skip+n)
	kernel.Uniform(u, key, uint64(s.First/kernel.GroupLen))
	return u[skip:]
}
