package evaluate

import (
	"errors"
	"fmt"

	"github.com/plume-ml/plume/trainer/metric"
)

// resamples is the number of bootstrap resamples for the intervals of distances. An interval of 95
// % needs 40; more only make its ends more stable.
const resamples = 100

func (e *evaluation) bootstrap() metric.Bootstrap {
	b := metric.DefaultBootstrap(e.Seed)
	b.Resamples = resamples
	return b
}

// measure is one distance between sets of features.
type measure struct {
	Metric
	estimate func(a, b *metric.Features) (metric.Estimate, error)
	alone    func(a, b *metric.Features) (float64, error) // without an interval
}

// The measures: Fréchet distance, kernel distances and sliced Wasserstein distance.

func (e *evaluation) frechet(m Metric) measure {
	return measure{m, func(a, b *metric.Features) (metric.Estimate, error) {
		return metric.FrechetInterval(e.ctx, a, b, e.bootstrap(), e.pool)
	}, e.frechetAlone}
}

func (e *evaluation) frechetAlone(a, b *metric.Features) (float64, error) {
	return metric.Frechet(e.ctx, a, b)
}

func (e *evaluation) kernelDistance(m Metric) measure {
	value := func(a, b *metric.Features) (metric.Estimate, error) {
		o := metric.DefaultKID(e.Seed)
		o.Subsets = 0 // their mean, which the literature gives, has the same expectation
		r, err := metric.KID(e.ctx, a, b, o, e.pool)
		return r.Estimate, err
	}
	return measure{m, value, valueOnly(value)}
}

func (e *evaluation) gaussianMMD(m Metric) measure {
	value := func(a, b *metric.Features) (metric.Estimate, error) {
		r, _, err := metric.RBFMMD(e.ctx, a, b, 0.95, e.Seed, e.pool)
		return r.Estimate, err
	}
	return measure{m, value, valueOnly(value)}
}

func valueOnly(
	f func(a, b *metric.Features) (metric.Estimate, error),
) func(a, b *metric.Features) (float64, error) {
	return func(a, b *metric.Features) (float64, error) {
		r, err := f(a, b)
		return r.Value, err
	}
}

// directions of the sliced Wasserstein distance.
const directions = 128

func (e *evaluation) slicedDistance(m Metric) measure {
	return measure{m, func(a, b *metric.Features) (metric.Estimate, error) {
		return metric.SlicedWassersteinInterval(e.ctx, a, b, directions, e.bootstrap(), e.pool)
	}, func(a, b *metric.Features) (float64, error) {
		return metric.SlicedWasserstein(e.ctx, a, b, directions, e.Seed, e.pool)
	}}
}

// distances measures and reports some distances in one kind of features.
func (e *evaluation) distances(group string, s *sets, list ...measure) error {
	for _, m := range list {
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
		e.doing.Set(m.Name)
		value, err := m.estimate(s.samples, s.reference)
		if errors.Is(err, metric.ErrUnfit) {
			e.note("no %s: %v", m.Name, err)
			continue
		} else if err != nil {
			return err
		}
		e.doing.Set(m.Name + " of real images")
		floor, err := s.floorOf(m.alone)
		if err != nil && !errors.Is(err, metric.ErrUnfit) {
			return err
		}
		m.Group, m.Better = group, Lower
		m.Note += fmt.Sprintf("; of %d samples against %d training images; %s", s.samples.N,
			s.reference.N, e.floorNote(s))
		e.add(m.measured(value, floor))
	}
	return nil
}

// pcaDistances measures distances in principal components.
func (e *evaluation) pcaDistances() error {
	s, err := e.pcaSets()
	if s == nil {
		return err
	}
	const in = "in the 64 leading principal components of the training images"
	return e.distances(PCA, s,
		e.frechet(Metric{Name: "PCA-64 FD", Key: "pca64_fd", Note: "Fréchet distance " + in}),
		e.kernelDistance(Metric{
			Name: "PCA-64 KID", Key: "pca64_kid",
			Note: "unbiased MMD^2 with the cubic kernel " + in,
		}),
		e.gaussianMMD(Metric{
			Name: "PCA-64 MMD", Key: "pca64_mmd",
			Note: "unbiased MMD^2 with a Gaussian kernel of median bandwidth " + in,
		}),
	)
}

// pcaSets returns the sets in principal components; nil without an error for images that have none.
func (e *evaluation) pcaSets() (*sets, error) {
	if e.inPCA != nil {
		return e.inPCA, nil
	}
	of, err := e.pcaFeatures()
	if err != nil {
		return nil, e.ctx.Err() // any other error is in a note of the report
	}
	e.inPCA, err = e.newSets(of)
	return e.inPCA, err
}

// classifierSets returns the sets in the classifier's features; nil without an error for images
// that have no classifier.
func (e *evaluation) classifierSets() (*sets, error) {
	if e.inClassifier != nil {
		return e.inClassifier, nil
	}
	of, err := e.classifierFeatures()
	if err != nil {
		return nil, e.ctx.Err() // any other error is in a note of the report
	}
	e.inClassifier, err = e.newSets(of)
	return e.inClassifier, err
}

// classifierDistances measures distances in the classifier's features.
func (e *evaluation) classifierDistances() error {
	s, err := e.classifierSets()
	if s == nil {
		return err
	}
	c := e.report.Classifier
	in := fmt.Sprintf("in the %d features of a classifier trained on these labels (%s, seed %d, "+
		"test accuracy %.1f %%, SHA-256 %.12s...): not comparable with an FID",
		c.Features, c.Network, c.Seed, 100*c.Accuracy, c.Hash)
	return e.distances(Classifier, s,
		e.frechet(Metric{Name: "FFD", Key: "ffd", Note: "Fréchet distance " + in}),
		e.kernelDistance(Metric{
			Name: "classifier KID", Key: "classifier_kid",
			Note: "unbiased MMD^2 with the cubic kernel " + in,
		}),
	)
}

// slicedDistances measures the sliced Wasserstein distance, in principal components.
func (e *evaluation) slicedDistances() error {
	s, err := e.pcaSets()
	if s == nil {
		return err
	}
	return e.distances(Sliced, s, e.slicedDistance(Metric{
		Name: "sliced W2", Key: "sliced_w2",
		Note: fmt.Sprintf("root of the mean squared Wasserstein distance of %d projections, in "+
			"the 64 leading principal components", directions),
	}))
}
