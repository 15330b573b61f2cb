package evaluate

import (
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
)

// neighbours is the k of precision and recall, as in Kynkäänniemi et al. 2019.
const neighbours = 3

// overlap measures precision, recall, density and coverage in the classifier's features, or in
// principal components where there are no labels.
func (e *evaluation) overlap() error {
	s, in, err := e.overlapSets()
	if s == nil {
		return err
	}
	n := min(s.samples.N, s.reference.N)
	if n <= neighbours {
		e.note("no precision and recall: they need more than %d samples and training images",
			neighbours)
		return nil
	}
	real := s.reference.Take(shuffled(s.reference.N, e.Seed)[:n])
	found, err := metric.PrecisionRecall(e.ctx, s.samples.Rows(0, n), real, neighbours,
		e.bootstrap(), e.pool)
	if err != nil {
		return err
	}
	nan := metric.Estimate{Value: math.NaN()}
	floor := metric.Overlap{Precision: nan, Recall: nan, Density: nan, Coverage: nan}
	if s.real != nil {
		if floor, err = metric.PrecisionRecall(e.ctx, s.real.Rows(0, n), real, neighbours,
			e.bootstrap(), e.pool); err != nil {
			return err
		}
	}
	note := fmt.Sprintf("k = %d in %s, %d samples and as many training images; %s", neighbours, in,
		n, e.floorNote(s))
	add := func(name, key, what string, value, real metric.Estimate) {
		m := Metric{
			Name: name, Key: key, Group: Precision, Better: Higher, Note: what + "; " + note,
		}
		e.add(m.measured(value, real.Value))
	}
	add("precision", "precision", "share of the samples among real images", found.Precision,
		floor.Precision)
	add("recall", "recall", "share of the real images among samples", found.Recall, floor.Recall)
	add("density", "density", "samples' mean number of real neighbourhoods, over k", found.Density,
		floor.Density)
	add("coverage", "coverage", "share of the real images' neighbourhoods that hold a sample",
		found.Coverage, floor.Coverage)
	return nil
}

// overlapSets returns the sets that overlap compares, and in which features; nil if there are none.
func (e *evaluation) overlapSets() (s *sets, in string, err error) {
	if s, err = e.classifierSets(); s != nil || err != nil {
		return s, "the classifier's features", err
	}
	s, err = e.pcaSets()
	return s, "principal components", err
}

// nearestBlock returns how many training images of dim values are in memory at a time during the
// search for nearest ones: 10,000, or fewer if they have more than 13,000 values.
func nearestBlock(dim int) int { return max(256, min(10000, 1<<27/dim)) }

// nearest finds the training images that are nearest to the images of a set. Mirror images that
// were trained on are among them.
func (e *evaluation) nearest(query *metric.Features) (*metric.Neighbours, error) {
	return Nearest(e.ctx, query, e.own.Points, e.pool, e.doing.Set)
}

// Nearest finds for each row of query the nearest of points, which it reads block by block. set is
// called with how far it has come. It ends with ctx's error soon after ctx ends.
func Nearest(
	ctx context.Context, query *metric.Features, points data.Dataset, p *pool.Pool,
	set func(what string),
) (*metric.Neighbours, error) {
	best := &metric.Neighbours{Index: make([]int, query.N), RMS: make([]float64, query.N)}
	dim := points.Shape().Dim()
	size := nearestBlock(dim)
	for lo := 0; lo < points.Len(); lo += size {
		set(fmt.Sprintf("nearest training images, %d of %d compared", lo, points.Len()))
		block := data.Subset(points, data.Range(lo, min(lo+size, points.Len())))
		base, err := metric.Values(ctx, block, dim, data.KindOf(points).Bounded())
		if err != nil {
			return nil, err
		}
		found, err := metric.Nearest(ctx, query, base, p)
		if err != nil {
			return nil, err
		}
		for i, rms := range found.RMS {
			if lo == 0 || rms < best.RMS[i] {
				best.Index[i], best.RMS[i] = lo+found.Index[i], rms
			}
		}
	}
	return best, nil
}

// memorisation compares how near samples and held-out images are to training images.
func (e *evaluation) memorisation() error {
	if !e.hasHeldOut("memorisation") {
		return nil
	}
	dim := e.own.Train.Shape().Dim()
	samples, err := metric.Values(e.ctx, e.compared(), dim, e.config.As.Bounded())
	if err != nil {
		return err
	}
	some := data.Subset(e.own.Held, data.Range(0, min(e.own.Held.Len(), nearestBlock(dim))))
	held, err := metric.Values(e.ctx, some, dim, e.config.As.Bounded())
	if err != nil {
		return err
	}
	ofSamples, err := e.nearest(samples)
	if err != nil {
		return err
	}
	ofHeld, err := e.nearest(held)
	if err != nil {
		return err
	}
	e.neighbours = ofSamples
	return e.reportNearest(ofSamples, ofHeld)
}
