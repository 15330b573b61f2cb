package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/run"
)

// samplePlan says what each image is to be.
type samplePlan struct {
	n       int
	seed    uint64   // of all images; those of seeds have their own
	seeds   seedList // nil: image i is the i-th of seed
	classes []int    // in equal parts, one after the other; nil: as the model draws them
	named   bool     // images have a class with a name
	spec    generate.Spec
	model   *run.Generator
}

// plan decides what to draw, and how many columns a grid of --by-class has.
func (s *sampleCommand) plan(g *run.Generator) (*samplePlan, error) {
	classes, err := s.classes(g)
	if err != nil {
		return nil, err
	}
	p := &samplePlan{
		n: s.n, seed: s.seed, seeds: s.seedList, classes: classes, model: g,
		named: g.Conditions() > 0 && g.Classes().Len() > 0,
		spec: generate.Spec{
			Solver: diffusion.Solver(s.solver), Steps: s.steps, Guidance: s.guidance,
		},
	}
	each := s.n
	if s.seedList != nil {
		each = s.seedList.len()
		p.n = each
	}
	if len(classes) > 0 && (s.byClass || s.seedList != nil) {
		if each > maxSamples/len(classes) {
			return nil, usage(fmt.Errorf("%d images of each of %d classes; expected %d images "+
				"at most", each, len(classes), maxSamples))
		}
		p.n = each * len(classes)
	}
	if s.byClass {
		names := make([]string, len(classes))
		for i, class := range classes {
			names[i] = g.Classes().Names[class]
		}
		fmt.Fprintln(os.Stderr, "plume: rows: "+strings.Join(names, ", "))
		s.cols = each
	}
	return p, nil
}

// classes returns the classes to draw; nil if the model draws them.
func (s *sampleCommand) classes(g *run.Generator) (classes []int, err error) {
	if len(s.class) == 0 && !s.byClass && s.guidance == 0 {
		return nil, nil
	}
	if g.Conditions() == 0 || (len(s.class) > 0 || s.byClass) && g.Classes().Len() == 0 {
		return nil, usage(errors.New("--class, --by-class and --guidance are for models with " +
			"classes, and this one was trained without: train one with --condition prior, or both"))
	}
	for _, name := range s.class {
		class, err := g.Classes().Find(name)
		if err == nil {
			_, err = g.OfClasses([]int{class}, 1) // it may have no images
		}
		if err == nil && slices.Contains(classes, class) {
			err = fmt.Errorf("%s is there twice", name)
		}
		if err != nil {
			return nil, usage(fmt.Errorf("--class: %w", err))
		}
		classes = append(classes, class)
	}
	if s.byClass && classes == nil {
		for class, count := range g.Model().Classes[:g.Classes().Len()] {
			if count > 0 {
				classes = append(classes, class)
			}
		}
	}
	return classes, nil
}

// part is the class of image i, by its place among the classes: the first has the first images.
func (p *samplePlan) part(i int) int {
	// Part k begins at image k*n/len, rounded down.
	return ((i+1)*len(p.classes) - 1) / p.n
}

// block says how images first to first+n are drawn, and what they are.
func (p *samplePlan) block(first, n int) (generate.Spec, sampleBlock, error) {
	spec, b := p.spec, sampleBlock{first: first, n: n}
	if p.seeds == nil {
		spec.Seed, spec.First = p.seed, first
	} else {
		for i := first; i < first+n; i++ {
			seed := p.seeds.at(i % p.seeds.len())
			b.seeds = append(b.seeds, seed)
			spec.Seeds = append(spec.Seeds, uint64(seed))
		}
	}
	if p.classes == nil {
		spec.Condition = p.model.Condition(n, spec)
	} else {
		of := make([]int, n)
		for i := range of {
			of[i] = p.classes[p.part(first+i)]
		}
		var err error
		if spec.Condition, err = p.model.OfClasses(of, 1); err != nil {
			return spec, b, err
		}
	}
	if p.named {
		b.classes = p.names(spec.Condition, n)
	}
	return spec, b, nil
}

// names are the names of the classes of n conditions; "" without a class.
func (p *samplePlan) names(conditions []float32, n int) []string {
	names, k := make([]string, n), p.model.Conditions()
	for i := range names {
		for class, v := range conditions[i*k : (i+1)*k] {
			if v != 0 && class < p.model.Classes().Len() {
				names[i] = p.model.Classes().Names[class]
			}
		}
	}
	return names
}

// sampleBlock is images that are drawn together.
type sampleBlock struct {
	first, n int
	seeds    []int64   // nil: the images have none of their own
	classes  []string  // nil: they have none
	pixels   []float32 // n x H x W x C
}
