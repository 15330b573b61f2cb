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

const streamClasses kernel.Stream = 21 // samples: classes of those that were asked for no other

// Conditions is the length of a condition; 0 for a model without conditions.
func (m Model) Conditions() int { return max(0, len(m.Classes)-1) }

// Conditions is that of the model.
func (g *Generator) Conditions() int { return g.model.Conditions() }

// Condition draws conditions of n images (n x Conditions()) with the shares that classes have of
// the datapoints, so that images of them compare with the data. Datapoints without a class have the
// condition 0. It returns nil for a model without conditions.
func (g *Generator) Condition(n int, seed uint64) []float32 {
	width := g.Conditions()
	if width == 0 {
		return nil
	}
	total := 0.0
	for _, count := range g.model.Classes {
		total += float64(count)
	}
	u := make([]float32, n)
	kernel.Uniform(u, kernel.Key{Seed: seed, Stream: streamClasses}, 0)
	conditions := make([]float32, n*width)
	for i, v := range u {
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
