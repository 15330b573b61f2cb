package metric

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// Squared distances |x|^2 + |y|^2 - 2 x.y from products in float32 have an error that hides small
// distances. So they only exclude rows; squareDistance decides among the others. Results are those
// of comparing all pairs in float64.

// cloud is a set of rows with their squared lengths.
type cloud struct {
	*Features
	squares []float64
	longest float64 // the largest length
}

func newCloud(f *Features) *cloud {
	c := &cloud{Features: f, squares: squareNorms(f)}
	c.longest = math.Sqrt(slices.Max(c.squares))
	return c
}

// doubt bounds the error of a squared distance between row i of c and any row of others that is
// computed from a product in float32. A sum of K products in any order is off by at most K u |x|
// |y| (1 + O(K u)), u = 2^-24 (Higham 2002, section 3.1), and twice that is less than K u (|x| +
// |y|)^2/2; the rest covers rounding in float64 and underflow in float32. If a sum may overflow
// there is no bound.
func (c *cloud) doubt(i int, others *cloud) float64 {
	reach := math.Sqrt(c.squares[i]) + others.longest
	if reach*reach > 0x1p127 {
		return math.Inf(1)
	}
	return (float64(c.K)/2+2)*0x1p-24*reach*reach*1.01 + float64(c.K)*0x1p-147
}

// neighbour is a row and its squared distance from another row, or a lower bound of it.
type neighbour struct {
	row    int
	square float64
}

// shortlist collects the rows that may be among the k nearest neighbours of a row.
type shortlist struct {
	doubt      float64   // of the squared distances passed to add
	within     []float64 // the k smallest upper bounds of squared distances, ascending
	candidates []neighbour
	crowded    int // number of candidates at which excluded ones are dropped
}

func newShortlist(k int) *shortlist {
	return &shortlist{within: make([]float64, k), candidates: make([]neighbour, 0, crowd)}
}

func (s *shortlist) reset(doubt float64) {
	s.doubt = doubt
	for i := range s.within {
		s.within[i] = math.Inf(1)
	}
	s.candidates, s.crowded = s.candidates[:0], crowd
}

const crowd = 256

// add considers a row by its squared distance, known up to doubt. With infinite doubt no row is
// excluded, whatever its distance, even NaN.
func (s *shortlist) add(row int, square float64) {
	last := len(s.within) - 1
	if square-s.doubt > s.within[last] {
		return
	}
	s.candidates = append(s.candidates, neighbour{row, square - s.doubt})
	if upper := square + s.doubt; upper < s.within[last] {
		at, _ := slices.BinarySearch(s.within, upper)
		copy(s.within[at+1:], s.within[at:last])
		s.within[at] = upper
	}
	if len(s.candidates) >= s.crowded {
		s.prune()
		s.crowded = max(crowd, 2*len(s.candidates))
	}
}

func (s *shortlist) prune() {
	limit := s.within[len(s.within)-1]
	s.candidates = slices.DeleteFunc(s.candidates, func(n neighbour) bool {
		return n.square > limit
	})
}

// nearest writes the k nearest candidates for row x to out, by distance and then by index.
func (s *shortlist) nearest(x []float32, from *Features, out []neighbour) {
	s.prune()
	for i, c := range s.candidates {
		s.candidates[i].square = squareDistance(x, from.Row(c.row))
	}
	slices.SortFunc(s.candidates, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(a.square, b.square), cmp.Compare(a.row, b.row))
	})
	copy(out, s.candidates)
}

// nearestRows returns the k nearest rows of base for each row of query, N x k, in ascending order.
// With others, query and base are one set, and a row is not its own neighbour, though equal rows
// are. base must have k rows, or k others.
func nearestRows(
	ctx context.Context, query, base *cloud, k int, others bool, p *pool.Pool,
) ([]neighbour, error) {
	out := make([]neighbour, query.N*k)
	all := pool.NewScratch(p, func() []*shortlist {
		lists := make([]*shortlist, tileRows)
		for i := range lists {
			lists[i] = newShortlist(k)
		}
		return lists
	})
	err := products(ctx, p, query.N, func(lo, hi int, scratch []float32) {
		all.Use(func(lists []*shortlist) {
			query.shorten(ctx, base, lo, others, lists[:hi-lo], scratch)
			for i, list := range lists[:hi-lo] {
				if ctx.Err() != nil {
					return // the lists are incomplete
				}
				list.nearest(query.Row(lo+i), base.Features, out[(lo+i)*k:(lo+i+1)*k])
			}
		})
	})
	return out, err
}

// shorten fills the lists of the rows of c from lo on.
func (c *cloud) shorten(
	ctx context.Context, base *cloud, lo int, others bool, lists []*shortlist, scratch []float32,
) {
	for i, list := range lists {
		list.reset(c.doubt(lo+i, base))
	}
	eachTile(ctx, c.Features, base.Features, lo, lo+len(lists), scratch,
		func(tile blas.Matrix, j int) {
			for i, list := range lists {
				for col, g := range tileRow(tile, i) {
					if !others || lo+i != j+col {
						list.add(j+col, c.squares[lo+i]+base.squares[j+col]-2*float64(g))
					}
				}
			}
		})
}
