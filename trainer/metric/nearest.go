package metric

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// Neighbours are the nearest rows of one set to each row of another.
type Neighbours struct {
	Index []int     // of the nearest row, the first of equally near ones
	RMS   []float64 // root of the mean squared difference of their numbers
}

const nearestName = "nearest images"

// Nearest finds for each row of query the nearest row of base, exactly. No rows, rows of different
// lengths and numbers that are not finite are errors. It ends with ctx's error soon after ctx ends.
func Nearest(ctx context.Context, query, base *Features, p *pool.Pool) (*Neighbours, error) {
	if err := checkPair(nearestName, query, base, 1); err != nil {
		return nil, err
	}
	out := &Neighbours{make([]int, query.N), make([]float64, query.N)}
	found, err := nearestRows(ctx, newCloud(query), newCloud(base), 1, false, p)
	if err != nil {
		return nil, err
	}
	for i, n := range found {
		out.Index[i], out.RMS[i] = n.row, math.Sqrt(n.square/float64(query.K))
	}
	return out, nil
}

// Closest returns the indices of the m rows (or all, if fewer) whose nearest neighbours are
// nearest, in that order.
func (n *Neighbours) Closest(m int) []int {
	order := data.Range(0, len(n.RMS))
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(n.RMS[i], n.RMS[j]) })
	return order[:min(m, len(order))]
}
