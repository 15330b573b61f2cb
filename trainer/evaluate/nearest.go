package evaluate

import (
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/metric"
)

// nearShare is the share of held-out images that defines which samples are suspiciously near.
const nearShare = 0.01

// reportNearest reports how near samples and held-out images are to training images.
func (e *evaluation) reportNearest(samples, held *metric.Neighbours) error {
	median, err := metric.MedianInterval(samples.RMS, e.bootstrap(), e.pool)
	if err != nil {
		return err
	}
	heldMedian, err := metric.MedianInterval(held.RMS, e.bootstrap(), e.pool)
	if err != nil {
		return err
	}
	e.add(Metric{
		Name:  "nearest training image",
		Key:   "nearest_rms",
		Group: Memorisation,
		Unit:  "RMS/pixel",
		Note: fmt.Sprintf("median over the samples; floor: of %d held-out images; far below it, "+
			"samples copy", len(held.RMS)),
	}.measured(median, heldMedian.Value))

	sorted := slices.Sorted(slices.Values(held.RMS))
	limit := sorted[int(nearShare*float64(len(sorted)))]
	nearer := func(n *metric.Neighbours) (hits int) {
		for _, rms := range n.RMS {
			if rms < limit {
				hits++
			}
		}
		return hits
	}
	share, err := metric.ShareInterval(nearer(samples), len(samples.RMS), 0.95)
	if err != nil {
		return err
	}
	e.add(Metric{
		Name:   "suspiciously near",
		Key:    "nearer_1",
		Group:  Memorisation,
		Better: Lower,
		Note: fmt.Sprintf("share of samples nearer to a training image than the nearest %g %% of "+
			"the held-out images (%.4f RMS)", 100*nearShare, limit),
	}.measured(share, float64(nearer(held))/float64(len(held.RMS))))
	return nil
}
