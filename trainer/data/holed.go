package data

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

const streamHoles kernel.Stream = 23 // rows whose holes samples get for comparisons

// Holed returns rows with the holes of like, so that both can be compared as wholes: row i lacks
// what a row of like lacks that is drawn by seed, and has in its place what Gather gives for that
// row. Rows of like, which are M, are drawn without replacement, M at a time. So the holes are
// taken to be independent of the values, and a comparison sees it where they are not. If nothing is
// missing of like, these are the rows themselves. They have as many numbers as those of like.
func Holed(rows Rows, like Dataset, seed uint64) Rows {
	missing := MissingOf(like)
	if missing == nil {
		return rows
	}
	order := make([]int, like.Len())
	kernel.Perm(order, kernel.Key{Seed: seed, Step: math.MaxUint32, Stream: streamHoles})
	return &holed{rows, like, missing, order}
}

type holed struct {
	Rows
	like    Dataset
	missing *Missing
	order   []int
}

// Gather implements Rows.
func (h *holed) Gather(dst []float32, idx []int) {
	h.Rows.Gather(dst, idx)
	d := h.missing.D
	x := make([]float32, d)
	for i, row := range idx {
		from := h.order[row%len(h.order)]
		gaps := h.missing.Row(from)
		h.like.Gather(x, []int{from})
		for j, gap := range gaps {
			if gap {
				dst[i*d+j] = x[j]
			}
		}
	}
}
