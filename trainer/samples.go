package trainer

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/generate"
)

const gridImages, gridColumns = 100, 10

// samples are the samples of a report. The first are measured; the grid shows those from first to
// last: of a model with classes others than are measured, a row of each class.
type samples struct {
	z, conditions []float32
	first, last   int
}

// countSamples returns how many samples a report of c draws, and which the grid shows.
func countSamples(c config.Config, classes int) (n, first, last int) {
	if classes == 0 {
		return max(c.EvalSamples, gridImages), 0, gridImages
	}
	last = c.EvalSamples + min(classes, gridColumns)*gridColumns
	return last, c.EvalSamples, last
}

// newSamples makes room for the samples of a report and sets their conditions: of those that are
// measured with the shares that the classes have in the data, and in the grid a row of each of the
// first classes.
func (t *Trainer) newSamples(g *generate.Generator) samples {
	n, first, last := countSamples(t.cfg, t.data.classes.Len())
	s := samples{z: make([]float32, n*g.Latent()), first: first, last: last}
	if first > 0 {
		s.conditions = append(g.Condition(first, generate.Spec{Seed: t.cfg.Seed}),
			rowsOfClasses(g.Conditions(), last-first)...)
	}
	return s
}

// rowsOfClasses are conditions of n samples, a line of the grid for each of the first classes.
func rowsOfClasses(k, n int) []float32 {
	conditions := make([]float32, n*k)
	for i := range n {
		conditions[i*k+i/gridColumns] = 1
	}
	return conditions
}

// Shown says how to draw the n samples that reports show, in lines of 10: the same as a report of
// the run would draw.
func Shown(g *generate.Generator, c config.Config, classes int) (spec generate.Spec, n int) {
	_, first, last := countSamples(c, classes)
	spec = generate.Spec{Solver: c.Solver, Steps: c.SolverSteps, Seed: c.Seed, First: first}
	if classes > 0 {
		spec.Condition = rowsOfClasses(g.Conditions(), last-first)
	}
	return spec, last - first
}

// of returns rows lo to hi of x, which has width numbers in each; nil of nil.
func of(x []float32, width, lo, hi int) []float32 {
	if x == nil {
		return nil
	}
	return x[lo*width : hi*width]
}
