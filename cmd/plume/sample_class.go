package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/plume-ml/plume/trainer/run"
)

// conditions returns what the images are to be like: nil without --class and --by-class. With
// --by-class it sets the number of images and the columns of the grid.
func (s *sampleCommand) conditions(g *run.Generator) ([]float32, error) {
	if len(s.class) == 0 && !s.byClass && s.guidance == 0 {
		return nil, nil
	}
	if g.Conditions() == 0 || (len(s.class) > 0 || s.byClass) && g.Classes().Len() == 0 {
		return nil, usage(errors.New("--class, --by-class and --guidance are for models with " +
			"classes, and this one was trained without: train one with --condition prior, or both"))
	}
	classes, err := s.classes(g)
	if err != nil || classes == nil {
		return nil, err
	}
	if s.byClass {
		names := make([]string, len(classes))
		for i, class := range classes {
			names[i] = g.Classes().Names[class]
		}
		fmt.Fprintln(os.Stderr, "plume: rows: "+strings.Join(names, ", "))
		each := s.n
		s.cols, s.n = each, each*len(classes)
		if s.n > maxSamples {
			return nil, usage(fmt.Errorf("-n is %d of %d classes; expected %d images at most",
				each, len(classes), maxSamples))
		}
		return g.OfClasses(classes, each)
	}
	return s.parts(g, classes)
}

// classes returns the classes to draw, nil for all with their shares.
func (s *sampleCommand) classes(g *run.Generator) (classes []int, err error) {
	for _, name := range s.class {
		class, err := g.Classes().Find(name)
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

// parts returns conditions of n images, in parts of the same size, or one more, of each class.
func (s *sampleCommand) parts(g *run.Generator, classes []int) (all []float32, err error) {
	for i, class := range classes {
		n := (i+1)*s.n/len(classes) - i*s.n/len(classes)
		part, err := g.OfClasses([]int{class}, n)
		if err != nil {
			return nil, usage(fmt.Errorf("--class: %w", err))
		}
		all = append(all, part...)
	}
	return all, nil
}
