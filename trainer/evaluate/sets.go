package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/metric"
)

// sets are the features of the images that a distance compares.
//
// The samples are compared with the images that the model was trained on, as in training's own reports. The floor
// is of as many real images that are not among those they are compared with: held-out ones first, and where these do
// not suffice training images, which are then left out of the reference.
type sets struct {
	samples, reference *metric.Features
	real, rest         *metric.Features // of the floor; nil where there are too few images
	filled             int              // of real, images that come from training
}

// features are the features of a set of images.
type features func(rows metric.RowSource) (*metric.Features, error)

// newSets finds the features of all sets.
func (e *evaluation) newSets(of features) (*sets, error) {
	s := &sets{}
	var held *metric.Features
	var err error
	if s.samples, err = of(e.images()); err != nil {
		return nil, err
	}
	if s.reference, err = of(e.train); err != nil {
		return nil, err
	}
	if e.held.Len() > 0 {
		if held, err = of(e.held); err != nil {
			return nil, err
		}
	}
	s.floor(held, e.Samples, e.Seed)
	return s, nil
}

// floor divides the real images for the floor of n samples. More than half of the training images are never taken from
// the reference.
func (s *sets) floor(held *metric.Features, n int, seed uint64) {
	own := 0
	if held != nil {
		own = min(n, held.N)
	}
	s.filled = n - own
	if 2*s.filled > s.reference.N {
		s.filled = 0
		return
	}
	k := s.reference.K
	s.real = metric.NewFeatures(make([]float32, 0, n*k), 0, k)
	if own > 0 {
		s.real = held.Take(shuffled(held.N, seed)[:own])
	}
	order := shuffled(s.reference.N, seed)
	fill, rest := order[:s.filled], order[s.filled:]
	slices.Sort(rest)
	added := s.reference.Take(fill)
	s.real = metric.NewFeatures(append(s.real.X, added.X...), n, k)
	s.rest = s.reference.Take(rest)
}

func shuffled(n int, seed uint64) []int {
	order := make([]int, n)
	kernel.Perm(order, kernel.Key{Seed: seed, Step: math.MaxUint32, Stream: kernel.StreamMetric})
	return order
}

// floorOf is a metric of the floor's sets; NaN where there are none.
func (s *sets) floorOf(f func(a, b *metric.Features) (float64, error)) (float64, error) {
	if s.real == nil {
		return math.NaN(), nil
	}
	return f(s.real, s.rest)
}

// floorNote says what the floor is of.
func (e *evaluation) floorNote(s *sets) string {
	switch {
	case s.real == nil:
		return "there are too few real images for a floor at this number of samples"
	case s.filled == 0:
		return fmt.Sprintf("floor: %d held-out images", s.real.N)
	case s.filled == s.real.N:
		return fmt.Sprintf("floor: %d training images against the other %d", s.real.N, s.rest.N)
	}
	return fmt.Sprintf("floor: %d held-out and %d training images against the other %d", s.real.N-s.filled, s.filled, s.rest.N)
}

// pcaFeatures are the coordinates in the leading components of the training images; nil with a note for images that have none.
func (e *evaluation) pcaFeatures() (features, error) {
	if e.pca == nil && e.pcaErr == nil {
		e.pca, e.pcaErr = metric.FitPCA(e.train, e.train.Shape().Dim(), components)
		if e.pcaErr != nil {
			e.note("no principal components of these images: %v", e.pcaErr)
		}
	}
	if e.pcaErr != nil {
		return nil, e.pcaErr
	}
	return e.pca.Features, nil
}

const components = 64

// classifierFeatures are those of the data's classifier; an error that wraps classify.ErrNoLabels says that there is none.
func (e *evaluation) classifierFeatures() (features, error) {
	c, err := e.classifier()
	if err != nil {
		return nil, err
	}
	return func(rows metric.RowSource) (*metric.Features, error) {
		return metric.NewFeatures(c.Features(rows, e.pool), rows.Len(), c.FeatureCount()), nil
	}, nil
}

// classifier trains the classifier of the run's data, or finds it among those that this process trained before.
func (e *evaluation) classifier() (*classify.Classifier, error) {
	c, err := classifiers.get(e)
	if errors.Is(err, classify.ErrNoLabels) && !e.unlabelled {
		e.unlabelled = true
		e.note("no FFD: the images have no labels to train a classifier on")
	}
	if err == nil {
		e.report.Classifier = &ClassifierInfo{
			Seed: c.Seed, Accuracy: c.Accuracy, Images: c.Tested, Features: c.FeatureCount(), Hash: c.Hash(),
		}
	}
	return c, err
}
