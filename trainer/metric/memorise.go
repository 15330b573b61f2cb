package metric

import (
	"cmp"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/pool"
)

// Neighbours are the nearest rows of one set to each row of another.
type Neighbours struct {
	Index []int     // of the nearest row, the first of equally near ones
	RMS   []float64 // root of the mean squared difference of their numbers
}

const nearestName = "nearest images"

// Nearest finds for each row of query the nearest row of base, exactly. No rows, rows of different lengths and
// numbers that are not finite are errors.
func Nearest(query, base *Features, p *pool.Pool) (*Neighbours, error) {
	if err := checkPair(nearestName, query, base, 1); err != nil {
		return nil, err
	}
	out := &Neighbours{make([]int, query.N), make([]float64, query.N)}
	for i, n := range nearestRows(newCloud(query), newCloud(base), 1, false, p) {
		out.Index[i], out.RMS[i] = n.row, math.Sqrt(n.square/float64(query.K))
	}
	return out, nil
}

// Closest are the numbers of the m rows, or all, that have the nearest neighbours, nearest first.
func (n *Neighbours) Closest(m int) []int {
	order := make([]int, len(n.RMS))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(n.RMS[i], n.RMS[j]) })
	return order[:min(m, len(order))]
}

// Memorisation compares generated images with held-out ones by how near they are to training images. A model
// that copies training images makes images that are nearer than new images of the same distribution are: many more than 1 % of
// them are nearer than the 1 % of the held-out images that are nearest. Smooth images are near in pixels, too: a higher
// share is a reason to look at the pairs.
type Memorisation struct {
	Generated       *Neighbours `json:"-"`                // the nearest training images of the generated
	HeldOut         *Neighbours `json:"-"`                // and of the held-out images
	MedianGenerated Estimate    `json:"median_generated"` // RMS per pixel
	MedianHeldOut   Estimate    `json:"median_held_out"`
	Quantile1       float64     `json:"quantile_1"` // RMS below which 1 % of the held-out images are
	Quantile5       float64     `json:"quantile_5"` // and 5 %
	Nearer1         Estimate    `json:"nearer_1"`   // share of the generated images nearer than Quantile1; expected 0.01 of new images
	Nearer5         Estimate    `json:"nearer_5"`   // and than Quantile5; 0.05
}

// Memorise finds the nearest training images of generated and held-out images, all as Pixels. The intervals of the shares
// take the quantiles as given. No rows, rows of different lengths and numbers that are not finite are errors.
func Memorise(generated, heldOut, train *Features, bs Bootstrap, p *pool.Pool) (*Memorisation, error) {
	if err := bs.check(); err != nil {
		return nil, err
	}
	var m Memorisation
	var err error
	if m.Generated, err = Nearest(generated, train, p); err != nil {
		return nil, err
	}
	if m.HeldOut, err = Nearest(heldOut, train, p); err != nil {
		return nil, err
	}
	if m.MedianGenerated, err = MedianInterval(m.Generated.RMS, bs, p); err != nil {
		return nil, err
	}
	if m.MedianHeldOut, err = MedianInterval(m.HeldOut.RMS, bs, p); err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(m.HeldOut.RMS))
	m.Quantile1, m.Quantile5 = quantile(sorted, 0.01), quantile(sorted, 0.05)
	if m.Nearer1, err = m.Generated.nearer(m.Quantile1, bs.Level); err != nil {
		return nil, err
	}
	m.Nearer5, err = m.Generated.nearer(m.Quantile5, bs.Level)
	return &m, err
}

// nearer is the share of rows nearer than rms to their neighbours.
func (n *Neighbours) nearer(rms, level float64) (Estimate, error) {
	hits := 0
	for _, v := range n.RMS {
		if v < rms {
			hits++
		}
	}
	return ShareInterval(hits, len(n.RMS), level)
}
