package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pca"
)

// sets are the features of the images that a distance compares.
//
// The samples are compared with the reference, images that the model was trained on. The floor
// compares as many real images with the same reference: held-out images first, then training
// images, which are removed from the reference.
type sets struct {
	samples, reference *metric.Features
	real               *metric.Features // for the floor; nil if there are too few images
	filled             int              // number of training images in real
	classes            classSets
}

// classSets are the classes of the images of sets, -1 for none; nil for a model without classes.
type classSets struct{ samples, reference, held, real []int32 }

// features returns the features of a set of images.
type features func(rows data.Rows) (*metric.Features, error)

// newSets computes the features of all sets.
func (e *evaluation) newSets(of features) (*sets, error) {
	s := &sets{}
	var held *metric.Features
	var err error
	e.doing.Set(fmt.Sprintf("features of %d samples", e.Samples))
	if s.samples, err = of(e.compared()); err != nil {
		return nil, err
	}
	e.doing.Set(fmt.Sprintf("features of %d training images", e.own.Train.Len()))
	if s.reference, err = of(e.own.Train); err != nil {
		return nil, err
	}
	if e.own.Held.Len() > 0 {
		if held, err = of(e.own.Held); err != nil {
			return nil, err
		}
	}
	if e.own.Classes.Len() > 0 {
		s.classes = classSets{
			samples: e.askedClasses(), reference: e.own.Classes.Of(e.own.Train),
			held: e.own.Classes.Of(e.own.Held),
		}
	}
	s.floor(held, e.Samples, e.Seed)
	return s, nil
}

// floor chooses the real images for the floor of n samples. At most half of the training images are
// taken from the reference; otherwise there is no floor.
func (s *sets) floor(held *metric.Features, n int, seed uint64) {
	own := 0
	if held != nil {
		own = min(n, held.N)
	}
	filled, k := n-own, s.reference.K
	if 2*filled > s.reference.N {
		return
	}
	real := make([]float32, 0, n*k)
	if own > 0 {
		order := shuffled(held.N, seed)[:own]
		real = append(real, held.Take(order).X...)
		s.classes.real = append(s.classes.real, pick(s.classes.held, order)...)
	}
	if filled > 0 {
		order := shuffled(s.reference.N, seed)
		rest := order[filled:]
		slices.Sort(rest)
		real = append(real, s.reference.Take(order[:filled]).X...)
		s.reference = s.reference.Take(rest)
		s.classes.real = append(s.classes.real, pick(s.classes.reference, order[:filled])...)
		s.classes.reference = pick(s.classes.reference, rest)
	}
	s.real, s.filled = metric.NewFeatures(real, n, k), filled
}

// pick returns those of the classes with the given indices; nil of nil.
func pick(classes []int32, index []int) (picked []int32) {
	if classes == nil {
		return nil
	}
	for _, i := range index {
		picked = append(picked, classes[i])
	}
	return picked
}

func shuffled(n int, seed uint64) []int {
	order := make([]int, n)
	kernel.Perm(order, kernel.Key{Seed: seed, Step: math.MaxUint32, Stream: metric.StreamMetric})
	return order
}

// floorOf returns a metric between the floor's sets; NaN if there are none or f returns an error.
func (s *sets) floorOf(f func(a, b *metric.Features) (float64, error)) (float64, error) {
	if s.real == nil {
		return math.NaN(), nil
	}
	floor, err := f(s.real, s.reference)
	if err != nil {
		return math.NaN(), err
	}
	return floor, nil
}

// floorNote describes the floor.
func (e *evaluation) floorNote(s *sets) string {
	switch {
	case s.real == nil:
		return "there are too few real images for a floor at this number of samples"
	case s.filled == 0:
		return fmt.Sprintf("floor: %d held-out images against the same", s.real.N)
	case s.filled == s.real.N:
		return fmt.Sprintf("floor: %d other training images against the same", s.real.N)
	}
	return fmt.Sprintf("floor: %d held-out and %d other training images against the same",
		s.real.N-s.filled, s.filled)
}

// pcaFeatures returns the coordinates in the leading components of the training images; nil, with a
// note, for images that have none.
func (e *evaluation) pcaFeatures() (features, error) {
	if e.pca == nil && e.pcaErr == nil {
		if err := e.fitPCA(); err != nil {
			return nil, err
		}
	}
	if e.pcaErr != nil {
		return nil, e.pcaErr
	}
	return func(rows data.Rows) (*metric.Features, error) {
		return e.pca.Features(e.ctx, rows, e.pool)
	}, nil
}

// fitPCA finds the components. It returns an error only if ctx has ended.
func (e *evaluation) fitPCA() error {
	train := e.own.Train
	of := fmt.Sprintf("principal components of %d images of %v", train.Len(), train.Shape())
	e.pca, e.pcaErr = pca.Fit(e.ctx, train, train.Shape().Dim(), components, pca.Options{
		Pool: e.pool, Pass: func(n int) { e.doing.Set(fmt.Sprintf("%s, pass %d", of, n)) },
	})
	if e.ctx.Err() != nil {
		return e.ctx.Err()
	}
	if e.pcaErr != nil {
		e.note("no principal components of these images: %v", e.pcaErr)
	} else if !e.pca.Converged() {
		e.note("the principal components were found to %.1g of their variance only, since many "+
			"have nearly the same: distances in them compare runs on the same data",
			e.pca.Residual())
	}
	return nil
}

const components = 64

// classifierFeatures returns the features of the data's classifier; an error if there is none.
func (e *evaluation) classifierFeatures() (features, error) {
	c, err := e.classifier()
	if err != nil {
		return nil, err
	}
	return func(rows data.Rows) (*metric.Features, error) {
		x, err := c.Features(e.ctx, rows, e.pool)
		if err != nil {
			return nil, err
		}
		return metric.NewFeatures(x, rows.Len(), c.FeatureCount()), nil
	}, nil
}

// classifier returns the classifier of the run's data.
func (e *evaluation) classifier() (*classify.Classifier, error) {
	c, err := classifiers.get(e)
	if err != nil && !e.unclassified && e.ctx.Err() == nil {
		e.unclassified = true
		e.note("no FFD: %v", err)
	}
	if err == nil {
		e.report.Classifier = &ClassifierInfo{
			Network: c.Network.String(), Weights: c.Parameters(),
			Seed: c.Seed, Accuracy: c.Accuracy, Images: c.Tested, Features: c.FeatureCount(),
			Hash: c.Hash(),
		}
	}
	return c, err
}
